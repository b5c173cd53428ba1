import USBCore

/// A chip's USB device controller, as the bus sees it: one call is one transaction on the wire.
///
/// Everything happens in the machine's turns. The cable is free of errors, so a packet that was sent has arrived.
public protocol USBDeviceController: AnyObject {
    /// The pull-up says that a full-speed device is there (USB 2.0 section 7.1.5).
    var isAttached: Bool { get }
    /// Grows each time the pull-up goes away, so that a short detach is not missed.
    var detachCount: Int { get }
    /// The device drives resume signalling (USB 2.0 section 7.1.7.7).
    var isSignallingResume: Bool { get }
    /// The address that the controller answers to; nil while it is deaf.
    var address: UInt8? { get }
    /// Grows with each packet that the firmware arms and each handshake it changes: a NAK holds as long as it stands.
    var activity: UInt64 { get }

    /// Start and end of reset signalling.
    func busReset()
    /// The start-of-frame packet of each millisecond.
    func startOfFrame(_ number: UInt16)
    /// The isochronous packets of the frame have been asked for and sent.
    func endPeriodicFrame()
    /// A millisecond without start of frame.
    func idleFrame()
    /// The host ends a suspend.
    func resume()

    func setup(_ bytes: [UInt8], address: UInt8) -> Handshake
    func out(_ data: ArraySlice<UInt8>, toggle: Bool, address: UInt8, endpoint: UInt8) -> Handshake
    func `in`(address: UInt8, endpoint: UInt8) -> InAnswer
}

/// The device's answer to SETUP or OUT (USB 2.0 section 8.4.5).
public enum Handshake: Sendable, Equatable {
    case acknowledged
    case busy
    case stalled
    /// No answer at all; isochronous packets have none either.
    case silence
}

/// The device's answer to IN.
public enum InAnswer: Sendable, Equatable {
    case data([UInt8], toggle: Bool)
    case busy
    case stalled
    case silence
}

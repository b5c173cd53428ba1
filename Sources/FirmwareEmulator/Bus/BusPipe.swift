import DequeModule
import USBCore

/// The host's end of one endpoint: transfers in order, data toggle, and how the first one stands.
struct BusPipe {
    let address: EndpointAddress
    var type: TransferType = .bulk
    var packetSize = 64
    /// Frames between two packets of interrupt and isochronous endpoints.
    var interval = 1
    var toggle = false
    var queue: Deque<BusTransfer> = []

    // The transfer in front.
    var received: [UInt8] = []
    /// OUT bytes that were acknowledged.
    var sent = 0
    /// The zero-length packet that ends an OUT transfer is still to be sent.
    var owesEmptyPacket = false
    var hasStarted = false
    /// Isochronous: what became of each packet so far.
    var packets: [IsochronousPacket] = []

    /// The controller's activity when it last answered NAK: asking again before it changes is useless.
    var busyAtActivity: UInt64?
    /// Frame from which the endpoint may be asked again.
    var eligibleFrame: UInt64 = 0
    var silentTries = 0

    init(_ address: EndpointAddress) { self.address = address }

    /// Takes an endpoint descriptor in force; a pipe without one behaves as bulk with packets of 64 bytes.
    mutating func configure(_ descriptor: EndpointDescriptor) {
        type = descriptor.type
        packetSize = max(1, descriptor.maxPacketSize)
        interval = descriptor.intervalUnits(at: .full)
        restart()
    }

    /// Data toggle and progress as after SET_CONFIGURATION, SET_INTERFACE or CLEAR_FEATURE (USB 2.0 section 9.1.1.5).
    mutating func restart() {
        toggle = false
        busyAtActivity = nil
        eligibleFrame = 0
        silentTries = 0
    }

    /// Forgets the progress of the transfer that was in front.
    mutating func clearProgress() {
        received = []
        sent = 0
        owesEmptyPacket = false
        hasStarted = false
        packets = []
        busyAtActivity = nil
        silentTries = 0
    }
}

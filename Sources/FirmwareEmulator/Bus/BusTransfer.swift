import USBCore

/// A transfer on its way over the bus; the serial number tells it from a later one of the same id.
public struct BusTransfer: Sendable, Equatable {
    public let serial: UInt64
    public let transfer: Transfer

    public init(serial: UInt64, transfer: Transfer) {
        self.serial = serial
        self.transfer = transfer
    }
}

/// What the bus tells whoever owns it.
public enum BusEvent: Sendable, Equatable {
    case completed(serial: UInt64, TransferCompletion)
    /// The device can be used: it was enumerated, for the first time or anew.
    case enumerated(EnumeratedDevice)
    /// The pull-up went away; pending transfers have completed with `noDevice`.
    case detached
    /// The pull-up went away while the host enumerated after a reset of its own; its control transfers wait for the
    /// device's return, and `detached` follows if that does not come.
    case detachedInEnumeration
    /// It came back from there, and the host's enumeration goes on, with what may be another device.
    case returned(EnumeratedDevice)
    /// Enumeration was given up; tried again when the device detaches and comes back.
    case unusable(String)
    /// The device ended a suspend by itself.
    case remoteWakeUp
}

/// What happens to an emulated device, told on its event loop.
public enum EmulatedDeviceEvent: Sendable {
    /// It can be plugged: descriptors are known. Told again when the firmware has become another device.
    case enumerated(EnumeratedDevice)
    /// Firmware took its device off the bus; `enumerated` follows if it comes back.
    case detached
    /// Firmware's device cannot be used, and why.
    case unusable(String)
    case faulted(FaultReport)
    /// The chip was reset by firmware or a watchdog.
    case reset
    case diagnostic(Diagnostic)
    /// Firmware changed its flash; the whole contents, for keeping.
    case flashChanged([UInt8])
    case remoteWakeUp
    /// Bytes that firmware sent on its serial ports.
    case serial([UInt8])
    /// Firmware has taken what ``EmulatedDevice/sendSerial(_:)`` gave it last.
    case serialTaken
}

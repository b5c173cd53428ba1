import USBCore

/// What the event loop asks of the machine.
enum DeviceCommand: Sendable {
    case connect
    case disconnect
    case busReset
    case submit(BusTransfer)
    case withdraw(serial: UInt64, EndpointAddress)
    case suspendBus
    case resumeBus
    case press(String, Bool)
    case forcePin(Pin, Bool?)
    case serial([UInt8])
    case resetChip
    case debugger(DebuggerInput)
    case stop
}

/// What comes from a debugger's connection.
enum DebuggerInput: Sendable {
    /// With the way back to it.
    case attached(@Sendable ([UInt8]) -> Void)
    case bytes([UInt8])
    case gone
}

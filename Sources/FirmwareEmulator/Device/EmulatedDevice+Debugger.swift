/// A debugger's connection, without its socket.
extension EmulatedDevice {
    /// Stops the firmware for a debugger; virtual time stands while it holds the machine, and a guest's transfers wait.
    /// A debugger before it is forgotten.
    ///
    /// - Parameter send: takes bytes for the debugger; called in the machine's turn.
    public func attachDebugger(send: @escaping @Sendable ([UInt8]) -> Void) { order(.debugger(.attached(send))) }

    /// Bytes from the debugger.
    public func receive(fromDebugger bytes: [UInt8]) { order(.debugger(.bytes(bytes))) }

    /// The debugger's connection has ended: firmware goes on, without its breakpoints.
    public func detachDebugger() { order(.debugger(.gone)) }
}

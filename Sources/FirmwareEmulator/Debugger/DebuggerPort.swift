/// A debugger at a machine that runs by itself: it holds the machine until it lets it go on.
final class DebuggerPort {
    private let session: GDBSession
    private let machine: Machine
    private let send: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - send: takes bytes for the debugger; called in the machine's turn.
    ///   - onReset: the debugger wants the chip reset.
    init(machine: Machine, send: @escaping @Sendable ([UInt8]) -> Void, onReset: @escaping () -> Void) {
        self.machine = machine
        self.send = send
        session = GDBSession(machine: machine)
        session.onReset = onReset
    }

    var holdsMachine: Bool { !session.isRunning }
    var isEnded: Bool { session.isEnded }

    func receive(_ bytes: [UInt8]) { output(session.receive(bytes)) }

    /// A slice of the machine's time has ended.
    func note(_ result: RunResult) {
        switch result {
        // The chip is reset by its owner and goes on: breakpoints stay.
        case .resetRequested: break
        default: output(session.stopped(result))
        }
    }

    /// The debugger is gone: nothing stops the machine any more.
    func leave() { machine.forgetDebugging() }

    private func output(_ bytes: [UInt8]) {
        if !bytes.isEmpty { send(bytes) }
    }
}

/// What a debugger asked of a machine.
struct DebugState {
    struct Watchpoint: Equatable {
        var address: UInt32
        var length: UInt32
        var onRead: Bool
        var onWrite: Bool
    }

    /// Addresses of instructions before which the machine stops.
    var breakpoints: Set<UInt32> = []
    var watchpoints: [Watchpoint] = []
    /// What was touched by the present instruction.
    var touched: (address: UInt32, isWrite: Bool)?
    /// Execute one instruction and stop.
    var isStepping = false
    /// The program counter is at a breakpoint that was reported: the next instruction is executed whatever.
    var isAtBreakpoint = false

    var hasWatchpoints: Bool { !watchpoints.isEmpty }
    var isInactive: Bool { breakpoints.isEmpty && watchpoints.isEmpty && !isStepping }

    mutating func note(_ address: UInt32, _ width: AccessWidth, isWrite: Bool) {
        for point in watchpoints where isWrite ? point.onWrite : point.onRead {
            let isBefore = UInt64(address) + UInt64(width.rawValue) <= UInt64(point.address)
            let isBehind = UInt64(point.address) + UInt64(point.length) <= UInt64(address)
            if !isBefore, !isBehind { touched = (address, isWrite) }
        }
    }

    mutating func stepDone() -> RunResult? {
        guard isStepping else { return nil }
        isStepping = false
        return .stopped
    }
}

/// Stopping where a debugger wants it.
extension Machine {
    public func setBreakpoint(at address: UInt32, _ isSet: Bool) {
        if isSet { debug.breakpoints.insert(address & ~1) } else { debug.breakpoints.remove(address & ~1) }
        needsForget = true
        // A loop that is skipped reaches nothing.
        idle.forget()
        isPrecise = !debug.isInactive
    }

    public func setWatchpoint(at address: UInt32, length: UInt32, onRead: Bool, onWrite: Bool, _ isSet: Bool) {
        let point = DebugState.Watchpoint(address: address, length: max(length, 1), onRead: onRead, onWrite: onWrite)
        debug.watchpoints.removeAll { $0 == point }
        if isSet { debug.watchpoints.append(point) }
        idle.forget()
        state.pointee.windows = debug.hasWatchpoints ? memory.fullyClosedWindows : memory.windows
        isPrecise = !debug.isInactive
    }

    /// Nothing stops it any more.
    func forgetDebugging() {
        debug = DebugState()
        state.pointee.windows = memory.windows
        needsForget = true
        isPrecise = false
    }

    /// Executes one instruction, and what exceptions and events come before it.
    public func step() -> RunResult {
        debug.isStepping = true
        idle.forget()
        defer { debug.isStepping = false }
        while true {
            let result = run(untilCycle: clock.settled &+ 1_000_000)
            // Asleep for a long time: virtual time goes on, the debugger waits.
            if case .sleeping = result, debug.isStepping { return .stopped }
            if case .sliceOver = result, debug.isStepping { continue }
            return result
        }
    }

    /// A general register 0…15.
    public func register(_ index: Int) -> UInt32 {
        index == 15 ? programCounter : registers[index & 15]
    }

    public func setRegister(_ index: Int, _ value: UInt32) {
        switch index {
        case 15: programCounter = value
        case 13: registers[13] = value & ~3
        case 0..<15: registers[index] = value
        default: break
        }
        idle.forget()
    }

    /// S0…S31 as bits.
    public func floatRegister(_ index: Int) -> UInt32 { floats[index & 31] }

    public func setFloatRegister(_ index: Int, _ value: UInt32) {
        floats[index & 31] = value
        idle.forget()
    }

    public var floatStatus: UInt32 {
        get { fpscr }
        set { fpscr = newValue & 0xF7C0_009F }
    }

    enum BreakpointOutcome {
        case stop(RunResult)
        case handled
        /// Nobody wants it: a fault.
        case refused
    }

    /// What BKPT, or a debugger's breakpoint, does.
    func breakpoint() -> BreakpointOutcome {
        let address = programCounter
        if debug.isAtBreakpoint { return .stop(.breakpoint(address: address)) }
        let number = memory.bytes(at: address, count: 1).first.map(UInt32.init) ?? 0
        if let onBKPT, onBKPT(number) {
            if programCounter == address { state.pointee.ip += 1 }
            return .handled
        }
        return haltsOnBKPT ? .stop(.breakpoint(address: address)) : .refused
    }
}

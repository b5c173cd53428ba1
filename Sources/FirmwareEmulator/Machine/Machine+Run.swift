/// The loop around the executor: events, interrupts, sleep, faults.
extension Machine {
    /// Runs until virtual time is at least `cycle`; a little later, because the CPU stops at jumps only.
    public func run(untilCycle cycle: UInt64) -> RunResult {
        // What was done to peripherals since the last call counts like an event.
        if idle.isProven { idle.check(outside) }
        while true {
            if let result = settle() { return result }
            if clock.nextDue <= clock.settled, clock.fireDue(), idle.isProven { idle.check(outside) }
            if interruptsChanged, takeInterrupt() { idle.forget() }
            if lockup != nil { continue }
            if clock.settled >= cycle { return isWaiting || idle.isProven ? .sleeping : .sliceOver }
            if isWaiting {
                activity = .sleeping
                skip(to: min(cycle, clock.nextDue))
                continue
            }
            if idle.isProven {
                activity = .skipped
                skip(to: min(cycle, clock.nextDue))
                continue
            }
            activity = .running
            if itState != 0 || debug.isStepping || debug.isAtBreakpoint {
                if let result = executeOne() { return result }
            } else if skipsIdleLoops, idle.isDue(at: clock.settled) {
                observe(until: min(cycle, clock.nextDue))
            } else {
                runExecutor(until: min(cycle, clock.nextDue, skipsIdleLoops ? idle.nextProbe : .max))
            }
        }
    }

    private func skip(to cycle: UInt64) {
        guard cycle > clock.settled else { return }
        skippedCycles &+= cycle &- clock.settled
        clock.settled = cycle
    }

    /// Deals with what the executor left, in the order in which it matters.
    private func settle() -> RunResult? {
        if let lockup {
            activity = .faulted
            return .fault(lockup)
        }
        finishInstruction()
        if let jump = pendingJump {
            pendingJump = nil
            takeJump(jump)
        }
        if let fault = pendingFault {
            pendingFault = nil
            if case .breakpoint = fault {
                switch breakpoint() {
                case .stop(let result): return result
                case .handled: break
                case .refused: raise(fault)
                }
            } else {
                raise(fault)
            }
        }
        if needsForget { forgetCode() }
        if let lockup {
            activity = .faulted
            return .fault(lockup)
        }
        if let touched = debug.touched {
            debug.touched = nil
            return .watchpoint(address: touched.address, isWrite: touched.isWrite)
        }
        if wantsReset {
            wantsReset = false
            return .resetRequested
        }
        if wantsStop {
            wantsStop = false
            return .stopped
        }
        return nil
    }

    /// An exit behind the first operation of an instruction: its second one belongs to it.
    private func finishInstruction() {
        let op = state.pointee.ip.pointee
        switch op.kind {
        case .tailAdd: registers[Int(op.a)] = registers[Int(op.a)] &+ op.imm
        case .tailAlignSP: registers[13] &= ~3
        case .tail: break
        default: return
        }
        state.pointee.ip += 1
    }

    /// Gives the executor `cycles` up to `limit` and accounts for what it used.
    func runExecutor(until limit: UInt64) {
        let available = limit > clock.settled ? min(limit - clock.settled, 1 << 40) : 0
        state.pointee.mustExit = false
        state.pointee.budget = Int(available)
        state.pointee.deadline = Int(bitPattern: state.pointee.ip) &+ Int(available) &* 8
        clock.isExecuting = true
        execute()
        clock.isExecuting = false
        let executed = executedCycles
        if executed > 0 { clock.settled &+= UInt64(executed) }
        state.pointee.budget = 0
        state.pointee.deadline = Int(bitPattern: state.pointee.ip)
    }

    /// After an event was scheduled from inside an instruction: it may be nearer than the end of this execution.
    func adjustDeadline() {
        guard clock.isExecuting else { return }
        let remaining = clock.nextDue > clock.now ? clock.nextDue - clock.now : 0
        let left = (state.pointee.deadline &- Int(bitPattern: state.pointee.ip)) >> 3
        guard remaining < UInt64(max(left, 0)) else { return }
        let less = left &- Int(remaining)
        state.pointee.budget &-= less
        state.pointee.deadline &-= less &* 8
    }

    /// Throws away decoded code that was written to, or all of it when what decoding means has changed.
    private func forgetCode() {
        needsForget = false
        let address = programCounter
        // Instructions of a block cannot be told from others without the IT before them.
        if itState == 0 { itState = blockState() }
        for region in memory.regions { region.forgetDecoded() }
        blocks.removeAll()
        memory.rebuildWindows()
        setCode(at: address)
        memory.dropRetired()
    }

    /// Executes one instruction with all its flags.
    func executeOne() -> RunResult? {
        let place = state.pointee.ip
        let address = programCounter
        debug.isAtBreakpoint = false
        let decoder = Decoder(mapping: currentMapping ?? deadMapping, model: model, isPrecise: true, blocks: blocks)
        guard currentMapping != nil, let instruction = decoder.instruction(at: address, inBlock: itState != 0) else {
            raise(.fetch(address))
            return nil
        }
        if itState != 0 {
            let condition = Int(itState >> 4)
            itState = Decoder.advance(itState)
            guard state.holds(condition) else {
                state.pointee.ip += instruction.halfwords
                clock.settled &+= UInt64(instruction.halfwords)
                return debug.stepDone()
            }
        }
        let saved = (0...4).map { place[$0] }
        place[0] = instruction.first
        if let second = instruction.second { place[1] = second }
        if instruction.first.kind == .itSkip { place[0] = Op(.itSlow, Int(instruction.first.imm), 0, 1) }
        place[instruction.halfwords] = Op(.halt)
        runExecutor(until: clock.settled)
        pendingHalt = false
        for (index, op) in saved.enumerated() { place[index] = op }
        return debug.stepDone()
    }
}

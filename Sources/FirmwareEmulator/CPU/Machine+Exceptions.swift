/// The exception model (ARMv7-M ARM B1.5): entry with stacking, return, tail-chaining, escalation, lockup.
extension Machine {
    private typealias Number = InterruptController.Number

    /// The priority that a new exception must beat (B1.5.4 ExecutionPriority).
    var executionPriority: Int {
        var priority = controller.activePriority()
        if basepri != 0 { priority = min(priority, controller.groupPriority(Int(basepri))) }
        if primask != 0 { priority = min(priority, 0) }
        if faultmask != 0 { priority = min(priority, -1) }
        return priority
    }

    func sendEvent() {
        eventRegister = true
        onSendEvent?()
    }

    /// Takes the most urgent pending exception, if it may pre-empt.
    /// - Returns: true when something may have changed for firmware.
    func takeInterrupt() -> Bool {
        interruptsChanged = false
        guard let next = controller.highestPending() else { return false }
        let priority = controller.groupPriority(next.priority)
        if priority < executionPriority {
            isWaiting = false
            waitsForEvent = false
            enter(next.number)
            return true
        }
        // WFI also wakes for what only PRIMASK holds back (B1.5.17).
        if isWaiting, primask != 0, faultmask == 0 {
            var unmasked = controller.activePriority()
            if basepri != 0 { unmasked = min(unmasked, controller.groupPriority(Int(basepri))) }
            if priority < unmasked {
                isWaiting = false
                waitsForEvent = false
                return true
            }
        }
        if isWaiting, waitsForEvent, system.sleepControl & 0x10 != 0 {
            isWaiting = false
            waitsForEvent = false
            return true
        }
        return false
    }

    /// Whether the exception return address is behind the instruction, not at it.
    func raise(_ fault: Fault) {
        if case .supervisorCall = fault {
            if controller.groupPriority(controller.priority(of: Number.supervisorCall)) < executionPriority {
                controller.setPending(Number.supervisorCall)
                enter(Number.supervisorCall)
                return
            }
        }
        system.note(fault)
        let number = target(of: fault)
        let isTakeable = controller.groupPriority(controller.priority(of: number)) < executionPriority
        if number != Number.hardFault, isTakeable {
            handOver(fault, to: number)
            return
        }
        guard executionPriority > -1 else {
            lockup = report(fault.reason)
            activity = .faulted
            return
        }
        if number != Number.hardFault { system.hardFaultStatus |= 1 << 30 }
        handOver(fault, to: Number.hardFault)
    }

    /// Firmware's own handler deals with a fault. Some do so for ever: only the first at each of some places is told.
    private func handOver(_ fault: Fault, to number: Int) {
        if toldFaults.count < Self.toldFaultLimit, toldFaults.insert(programCounter).inserted {
            onDiagnostic?(.fault(report(fault.reason)))
        }
        lastFault = fault
        enter(number)
    }

    /// The exception for a fault: its own when the core has it and firmware enabled it.
    private func target(of fault: Fault) -> Int {
        guard model.isV7 else { return Number.hardFault }
        let enabled = system.handlerControl
        switch fault {
        case .bus, .fetch: return enabled & 1 << 17 != 0 ? Number.busFault : Number.hardFault
        case .supervisorCall, .breakpoint: return Number.hardFault
        default: return enabled & 1 << 18 != 0 ? Number.usageFault : Number.hardFault
        }
    }

    // MARK: Entry

    func enter(_ number: Int) {
        let usesFloats = control & 4 != 0
        let usesProcess = !isHandler && control & 2 != 0
        guard pushFrame(usesFloats: usesFloats) else {
            lockup = report("no memory for the exception frame at \(hex(registers[13]))")
            return
        }
        var link: UInt32 = isHandler ? 0xFFFF_FFF1 : usesProcess ? 0xFFFF_FFFD : 0xFFFF_FFF9
        if usesFloats { link &= ~0x10 }
        if usesProcess { swapStacks() }
        control &= ~6
        registers[14] = link
        begin(number)
    }

    /// Cycles of a tail-chained entry.
    private static let entryCycles: UInt64 = 6

    /// The part of entry that tail-chaining has too: the new exception's state and its vector.
    private func begin(_ number: Int) {
        // It takes time (Cortex-M3 TRM 5.5): else a handler that is nothing but its return would stop the clock.
        clock.settled &+= Self.entryCycles
        ipsr = UInt32(number)
        itState = 0
        exclusiveAddress = nil
        eventRegister = true
        controller.activate(number)
        interruptsChanged = true
        let place = system.vectorTable &+ UInt32(number) &* 4
        guard let vector = memory.read(place, width: .word) else {
            lockup = report("no vector for exception \(number) at \(hex(place))")
            return
        }
        let from = state.pointee.ip
        setCode(at: vector & ~1)
        state.note(from: from, to: Int(bitPattern: state.pointee.ip))
        if vector & 1 == 0 {
            pendingFault = .invalidState
        } else if state.pointee.codeLimit == 0 {
            pendingFault = .fetch(vector & ~1)
        }
    }

    private func pushFrame(usesFloats: Bool) -> Bool {
        let pc = programCounter
        if itState == 0 { itState = blockState() }
        let status = xpsr
        let size: UInt32 = usesFloats ? 0x68 : 0x20
        let old = registers[13]
        let aligns = system.configuration & 0x200 != 0 || usesFloats
        let isPadded = aligns && old & 4 != 0
        let sp = (old &- size) & (aligns ? ~4 : ~0)
        var words = [registers[0], registers[1], registers[2], registers[3], registers[12], registers[14], pc]
        words.append(isPadded ? status | 1 << 9 : status & ~(1 << 9))
        if usesFloats {
            for index in 0..<16 { words.append(floats[index]) }
            words.append(fpscr)
        }
        for (index, word) in words.enumerated() where !storeFrame(sp &+ UInt32(index) &* 4, word) { return false }
        registers[13] = sp
        return true
    }

    private func storeFrame(_ address: UInt32, _ value: UInt32) -> Bool {
        guard case .memory(let region, _)? = memory.target(at: address), region.kind == .ram else { return false }
        return memory.write(address, width: .word, value: value)
    }

    // MARK: Return

    func returnFromException(_ link: UInt32) {
        let number = Int(ipsr)
        let isBasic = link & 0x10 != 0
        let toHandler = link & 0xF == 1, toProcess = link & 0xF == 0xD
        guard link & 0x0FFF_FFE0 == 0x0FFF_FFE0, toHandler || toProcess || link & 0xF == 9,
            isBasic || model.hasFPU, controller.active[number]
        else {
            controller.deactivate(number)
            registers[14] = 0xF000_0000 | link
            raise(.invalidReturn(hex(link)))
            return
        }
        if number != Number.nmi { faultmask = 0 }
        controller.deactivate(number)
        interruptsChanged = true
        // Tail-chaining: what waits is begun on the frame that is there.
        ipsr = toHandler ? ipsr : 0
        if let next = controller.highestPending(), controller.groupPriority(next.priority) < executionPriority {
            registers[14] = link
            begin(next.number)
            return
        }
        ipsr = toHandler ? ipsr : 0
        if toProcess {
            control |= 2
            swapStacks()
        } else if !toHandler {
            control &= ~2
        }
        popFrame(hasFloats: !isBasic, toHandler: toHandler)
    }

    private func popFrame(hasFloats: Bool, toHandler: Bool) {
        let sp = registers[13]
        var words: [UInt32] = []
        for index in 0..<(hasFloats ? 25 : 8) {
            guard let word = memory.read(sp &+ UInt32(index) &* 4, width: .word) else {
                lockup = report("no exception frame at \(hex(sp))")
                return
            }
            words.append(word)
        }
        for index in 0..<4 { registers[index] = words[index] }
        registers[12] = words[4]
        registers[14] = words[5]
        let status = words[7]
        if hasFloats {
            for index in 0..<16 { floats[index] = words[8 + index] }
            fpscr = words[24]
        }
        if model.hasFPU { control = hasFloats ? control | 4 : control & ~4 }
        let aligns = system.configuration & 0x200 != 0 || hasFloats
        registers[13] = (sp &+ (hasFloats ? 0x68 : 0x20)) | (aligns && status & 1 << 9 != 0 ? 4 : 0)
        ipsr = status & 0x1FF
        state.flagBits = status
        if model.isV7 {
            apsrQ = status & 1 << 27 != 0
            apsrGE = status >> 16 & 0xF
            itState = UInt8(truncatingIfNeeded: (status >> 8 & 0xFC) | (status >> 25 & 3))
            if itState & 0xF == 0 { itState = 0 }
        }
        let from = state.pointee.ip
        setCode(at: words[6] & ~1)
        state.note(from: from, to: Int(bitPattern: state.pointee.ip))
        exclusiveAddress = nil
        eventRegister = true
        guard toHandler == isHandler else {
            pendingFault = .invalidReturn("with a frame of exception \(ipsr)")
            return
        }
        if status & 1 << 24 == 0 { pendingFault = .invalidState }
        if !toHandler, system.sleepControl & 2 != 0 { isWaiting = true }
    }

    // MARK: Stack pointers and status

    func swapStacks() { swap(&registers[13], &otherStackPointer) }

    private var usesProcessStack: Bool { !isHandler && control & 2 != 0 }

    public var mainStackPointer: UInt32 {
        get { usesProcessStack ? otherStackPointer : registers[13] }
        set { if usesProcessStack { otherStackPointer = newValue & ~3 } else { registers[13] = newValue & ~3 } }
    }

    public var processStackPointer: UInt32 {
        get { usesProcessStack ? registers[13] : otherStackPointer }
        set { if usesProcessStack { registers[13] = newValue & ~3 } else { otherStackPointer = newValue & ~3 } }
    }

    /// Thread mode with CONTROL.nPRIV is the only unprivileged state.
    var isPrivileged: Bool { isHandler || control & 1 == 0 }

    /// xPSR: flags, T, the exception number, ITSTATE.
    public var xpsr: UInt32 {
        get {
            let it = UInt32(itState)
            return state.flagBits | (apsrQ ? 1 << 27 : 0) | apsrGE << 16 | 1 << 24 | (it & 0xFC) << 8 | (it & 3) << 25
                | ipsr
        }
        set {
            state.flagBits = newValue
            guard model.isV7 else { return }
            apsrQ = newValue & 1 << 27 != 0
            if model.hasDSP { apsrGE = newValue >> 16 & 0xF }
        }
    }

    /// CPS: interrupts on or off (B5.2.1). Unprivileged code has no effect.
    func changeProcessorState(_ op: Op) {
        guard isPrivileged else { return }
        let value: UInt32 = op.a != 0 ? 1 : 0
        if op.b & 2 != 0 { primask = value }
        if op.b & 1 != 0, model.isV7, value == 0 || executionPriority > -1 { faultmask = value }
        interruptsChanged = true
    }

    /// Whether DIV_0_TRP makes a division by zero a fault.
    func traps(divisionByZeroAt ip: Place) -> Bool {
        guard system.configuration & 0x10 != 0 else { return false }
        state.pointee.ip = ip
        pendingFault = .divisionByZero
        return true
    }
}

/// Where code runs: addresses to operations and back.
extension Machine {
    /// The address of the next instruction.
    public var programCounter: UInt32 {
        get { pendingJump.map { $0 & ~1 } ?? state.address(of: state.pointee.ip) }
        set {
            pendingJump = nil
            setCode(at: newValue & ~1)
        }
    }

    var currentMapping: CodeMapping? {
        memory.codeMapping(at: state.pointee.codeBase).flatMap {
            Int(bitPattern: $0.ops) == state.pointee.opsBase ? $0 : nil
        }
    }

    /// Makes the executor go on at `address`; where no code can be, it meets a fault there.
    func setCode(at address: UInt32) {
        let mapping = memory.codeMapping(at: address) ?? deadMapping
        state.pointee.opsBase = Int(bitPattern: mapping.ops)
        state.pointee.codeBase = mapping.base
        state.pointee.codeLimit = mapping.size
        if mapping === deadMapping {
            state.pointee.codeBase = address
            state.pointee.codeLimit = 0
            state.pointee.ip = mapping.ops
        } else {
            state.pointee.ip = mapping.ops + Int((address &- mapping.base) >> 1)
        }
    }

    /// Decodes where the executor is. False when there is no code, or a debugger wants to stop here.
    func decodeHere() -> Bool {
        let address = state.address(of: state.pointee.ip)
        if debug.breakpoints.contains(address) {
            debug.isAtBreakpoint = true
            pendingFault = .breakpoint
            return false
        }
        guard let mapping = currentMapping,
            Decoder(mapping: mapping, model: model, isPrecise: isPrecise, blocks: blocks).decode(at: address)
        else {
            pendingFault = .fetch(address)
            return false
        }
        return true
    }

    /// A jump that the executor could not do itself: to another region, an exception return, to nowhere.
    func takeJump(_ target: UInt32) {
        if isHandler, target >> 28 == 0xF {
            returnFromException(target)
            return
        }
        let from = state.pointee.ip
        setCode(at: target & ~1)
        state.note(from: from, to: Int(bitPattern: state.pointee.ip))
        if target & 1 == 0 {
            raise(.invalidState)
        } else if state.pointee.codeLimit == 0 {
            raise(.fetch(target & ~1))
        }
    }

    /// ITSTATE at the present instruction, from the decoded IT before it.
    func blockState() -> UInt8 {
        let place = state.pointee.ip
        for back in 1...8 {
            let candidate = place - back
            guard Int(bitPattern: candidate) >= state.pointee.opsBase else { return 0 }
            let op = candidate.pointee
            guard op.kind == .itSkip || op.kind == .itMixed, Int(op.c) > back else { continue }
            let address = state.address(of: candidate)
            guard let mapping = currentMapping else { return 0 }
            let decoder = Decoder(mapping: mapping, model: model, isPrecise: true, blocks: blocks)
            guard let halfword = decoder.fetch(address) else { return 0 }
            var it = UInt8(truncatingIfNeeded: halfword)
            var next = address &+ 2
            while it & 0xF != 0, next < state.address(of: place) {
                guard let instruction = decoder.instruction(at: next, inBlock: true) else { return 0 }
                next &+= UInt32(instruction.halfwords) &* 2
                it = Decoder.advance(it)
            }
            return next == state.address(of: place) ? it : 0
        }
        return 0
    }

    /// `main+0x12`; nil without symbols.
    func location(_ address: UInt32) -> String? {
        guard let found = symbols?.symbol(at: address) else { return nil }
        return found.offset == 0 ? found.name : "\(found.name)+0x\(String(found.offset, radix: 16))"
    }

    /// Where the firmware is: `0x08000112 (start+0x52)`.
    var place: String { hex(programCounter) + (location(programCounter).map { " (\($0))" } ?? "") }

    /// Everything that an engineer needs to see why the CPU stopped here.
    func report(_ reason: String) -> FaultReport {
        var values = (0..<16).map { registers[$0] }
        values[15] = programCounter
        let trace = state.pointee.trace, end = state.pointee.traceIndex
        let branches = (0..<CoreState.traceLength).compactMap { back -> FaultReport.Branch? in
            let index = (end &- 1 &- back) & (CoreState.traceLength - 1)
            guard let to = address(ofOperation: trace[index * 2 + 1]) else { return nil }
            return FaultReport.Branch(from: address(ofOperation: trace[index * 2]), to: to, location: location(to))
        }
        return FaultReport(
            reason: reason, registers: values, xpsr: xpsr, mainStackPointer: mainStackPointer,
            processStackPointer: processStackPointer, location: location(values[15]), earlier: lastFault?.reason,
            lastBranches: branches)
    }

    private func address(ofOperation place: Int) -> UInt32? {
        guard place != 0 else { return nil }
        for region in memory.regions {
            for mapping in region.mappings {
                let offset = place - Int(bitPattern: mapping.ops)
                if offset >= 0, offset < Int(mapping.size) * 4 {
                    return mapping.base &+ UInt32(truncatingIfNeeded: offset >> 2)
                }
            }
        }
        return nil
    }
}

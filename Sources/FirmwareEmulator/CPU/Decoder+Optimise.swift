/// What makes straight-line code cheaper: flags that nobody reads are not computed, a compare and its jump are one.
extension Decoder {
    /// How many instructions are looked at to find out that flags are dead.
    private static let horizon = 24

    func withoutDeadFlags(_ instruction: Instruction, at address: UInt32) -> Op {
        let first = instruction.first
        guard let plain = first.kind.withoutFlags else { return first }
        var sets = first.kind.effect.sets
        if let second = instruction.second {
            sets.subtract(second.kind.effect.sets)
            guard second.kind.effect.reads.isDisjoint(with: first.kind.effect.sets) else { return first }
        }
        guard areDead(sets, from: address &+ UInt32(instruction.halfwords) &* 2) else { return first }
        var op = first
        op.kind = plain
        return op
    }

    /// Whether all `flags` are set again before anything reads them, on every path from `address`. An interrupt in
    /// between restores what it found, so it does not count as a reader.
    func areDead(_ flags: Flags, from address: UInt32) -> Bool {
        var budget = Self.horizon
        return areDead(flags, from: address, &budget)
    }

    private func areDead(_ flags: Flags, from address: UInt32, _ budget: inout Int) -> Bool {
        var live = flags
        var address = address
        while !live.isEmpty {
            guard budget > 0, let instruction = instruction(at: address) else { return false }
            budget -= 1
            let next = address &+ UInt32(instruction.halfwords) &* 2
            for (index, op) in [instruction.first, instruction.second].enumerated() {
                guard let op else { continue }
                let place = address &+ UInt32(index) &* 2
                if op.kind == .b || op.kind == .bW {
                    guard mapping.region.kind != .ram else { return false }
                    return areDead(live, from: target(of: op, at: place), &budget)
                }
                if op.kind.isConditionalJump || op.kind == .cbz || op.kind == .cbnz {
                    let reads = op.kind.isConditionalJump ? op.kind.conditionFlags : []
                    guard live.isDisjoint(with: reads), mapping.region.kind != .ram else { return false }
                    return areDead(live, from: target(of: op, at: place), &budget)
                        && areDead(live, from: next, &budget)
                }
                let effect = op.kind.effect
                guard !effect.isBarrier, live.isDisjoint(with: effect.reads) else { return false }
                live.subtract(effect.sets)
            }
            address = next
        }
        return true
    }

    private func target(of op: Op, at place: UInt32) -> UInt32 {
        place &+ UInt32(bitPattern: Int32(bitPattern: op.imm) >> 2)
    }

    /// A compare joined with the conditional jump behind it.
    func fused(_ op: Op, at address: UInt32) -> Op? {
        let isImmediate = op.kind == .cmpI
        guard isImmediate || op.kind == .cmpR else { return nil }
        guard let jump = instruction(at: address &+ 2)?.first, let kinds = Self.fusions[jump.kind] else { return nil }
        let target = target(of: jump, at: address &+ 2)
        let isDead = areDead(.all, from: target) && areDead(.all, from: address &+ 4)
        let kind =
            isImmediate
            ? (isDead ? kinds.immediateDead : kinds.immediate) : (isDead ? kinds.registerDead : kinds.register)
        return Op(
            kind, Int(op.a), Int(op.b), isImmediate ? Int(op.imm) : Int(op.c), imm: distance(from: address, to: target))
    }

    private struct Fusion {
        var immediate: OpKind, immediateDead: OpKind, register: OpKind, registerDead: OpKind
    }

    private static let fusions: [OpKind: Fusion] = [
        .beq: Fusion(immediate: .cmpIbeq, immediateDead: .cmpIbeqN, register: .cmpRbeq, registerDead: .cmpRbeqN),
        .bne: Fusion(immediate: .cmpIbne, immediateDead: .cmpIbneN, register: .cmpRbne, registerDead: .cmpRbneN),
        .bcs: Fusion(immediate: .cmpIbcs, immediateDead: .cmpIbcsN, register: .cmpRbcs, registerDead: .cmpRbcsN),
        .bcc: Fusion(immediate: .cmpIbcc, immediateDead: .cmpIbccN, register: .cmpRbcc, registerDead: .cmpRbccN),
        .bhi: Fusion(immediate: .cmpIbhi, immediateDead: .cmpIbhiN, register: .cmpRbhi, registerDead: .cmpRbhiN),
        .bls: Fusion(immediate: .cmpIbls, immediateDead: .cmpIblsN, register: .cmpRbls, registerDead: .cmpRblsN),
        .bge: Fusion(immediate: .cmpIbge, immediateDead: .cmpIbgeN, register: .cmpRbge, registerDead: .cmpRbgeN),
        .blt: Fusion(immediate: .cmpIblt, immediateDead: .cmpIbltN, register: .cmpRblt, registerDead: .cmpRbltN),
        .bgt: Fusion(immediate: .cmpIbgt, immediateDead: .cmpIbgtN, register: .cmpRbgt, registerDead: .cmpRbgtN),
        .ble: Fusion(immediate: .cmpIble, immediateDead: .cmpIbleN, register: .cmpRble, registerDead: .cmpRbleN),
    ]

    /// The kind that does two operations at once, where there is one. The second one's operands are read from its own
    /// place, so it is decoded first and stays what it is.
    func paired(_ first: OpKind, _ place: UnsafeMutablePointer<Op>, at address: UInt32, depth: Int) -> OpKind? {
        guard let seconds = Self.pairs[first], depth > 0, contains(address &+ 2) else { return nil }
        if place[1].kind == .undecoded, !decode(at: address &+ 2, depth: depth - 1) { return nil }
        return seconds[place[1].kind]
    }

    private static let pairs: [OpKind: [OpKind: OpKind]] = [
        .addI: [
            .cmpRbneN: .addICmpRbneN, .cmpRbne: .addICmpRbne, .cmpIbneN: .addICmpIbneN,
            .ldrI: .addILdrI,
        ],
        .subI: [
            .cmpIbneN: .subICmpIbneN
        ],
        .ldrI: [
            .cmpRbccN: .ldrICmpRbccN, .cmpRbhiN: .ldrICmpRbhiN,
            .cmpIbeqN: .ldrICmpIbeqN, .cmpIbneN: .ldrICmpIbneN, .cmpIbeq: .ldrICmpIbeq, .cmpIbne: .ldrICmpIbne,
            .addI: .ldrIAddI, .ldrI: .ldrILdrI,
        ],
        .movR: [
            .movR: .movRMovR, .addR: .movRAddR, .ldrI: .movRLdrI,
        ],
        .lslI: [
            .ldrR: .lslILdrR, .addR: .lslIAddR,
        ],
        .addR: [
            .ldrI: .addRLdrI
        ],
        .strI: [
            .strI: .strIStrI, .addI: .strIAddI,
        ],
        .ldrR: [
            .strR: .ldrRStrR
        ],
        .lsrI: [
            .eorR: .lsrIEorR
        ],
        .eorR: [
            .andR: .eorRAndR
        ],
        .andR: [
            .lslI: .andRLslI
        ],
        .movI: [
            .movI: .movIMovI
        ],
        .subsI: [
            .bne: .subsIBne
        ],
        .tstR: [
            .beq: .tstRBeq, .bne: .tstRBne,
        ],
        .lslsI: [
            .bpl: .lslsIBpl
        ],
    ]
}

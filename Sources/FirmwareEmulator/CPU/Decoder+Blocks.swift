/// IT blocks (ARMv7-M ARM A7.3). Nearly all have one condition for all their instructions and become a jump over them.
extension Decoder {
    /// Decodes IT and the one to four instructions behind it into the table.
    func decodeBlock(at address: UInt32, _ place: UnsafeMutablePointer<Op>) {
        guard let halfword = fetch(address) else { return }
        let state = UInt8(truncatingIfNeeded: halfword)
        let condition = Int(state >> 4)
        var instructions: [(Instruction, holds: Bool)] = []
        var rest = state
        var next = address &+ 2
        var setsFlagsInside = false
        while rest & 0xF != 0 {
            guard let instruction = instruction(at: next, inBlock: true) else { break }
            let isLast = rest & 0x7 == 0
            if !isLast, instruction.setsFlags { setsFlagsInside = true }
            instructions.append((instruction, Int(rest >> 4) == condition))
            next &+= UInt32(instruction.halfwords) &* 2
            rest = Self.advance(rest)
        }
        let length = Int((next &- address) >> 1)
        guard !setsFlagsInside, !isPrecise, rest & 0xF == 0, condition != 14 || instructions.allSatisfy(\.holds) else {
            place[0] = Op(.itSlow, Int(state), 0, 1)
            return
        }
        var holds: [Op] = [], fails: [Op] = []
        for (instruction, isThen) in instructions {
            let real = [instruction.first] + (instruction.second.map { [$0] } ?? [])
            let skipped = [Op](repeating: Op(.nop), count: instruction.halfwords)
            holds += isThen ? real : skipped
            fails += isThen ? skipped : real
        }
        for (index, op) in holds.enumerated() { place[index + 1] = op }
        if instructions.allSatisfy(\.holds) {
            place[0] = Op(.itSkip, condition, 0, length, imm: UInt32(state))
        } else {
            place[0] = Op(.itMixed, condition, 0, length, imm: blocks.add(.init(holds: holds, fails: fails)))
        }
    }

    /// ITAdvance(): the state for the next instruction of the block; 0 behind its last.
    static func advance(_ state: UInt8) -> UInt8 {
        state & 0x7 == 0 ? 0 : state & 0xE0 | (state << 1) & 0x1F
    }
}

extension Decoder.Instruction {
    /// Whether condition flags may differ afterwards.
    var setsFlags: Bool {
        [first, second].compactMap { $0 }.contains { $0.kind.effect.isBarrier || !$0.kind.effect.sets.isEmpty }
    }
}

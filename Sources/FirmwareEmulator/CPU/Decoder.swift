/// Turns code into operations, an instruction at a time, where the executor meets a place without one.
struct Decoder {
    /// One instruction: an operation for each halfword it has.
    struct Instruction {
        var first: Op
        /// Present for 32-bit instructions.
        var second: Op?

        init(_ op: Op) { first = op }
        init(wide first: Op, _ second: Op = Op(.tail)) {
            self.first = first
            self.second = second
        }

        var halfwords: Int { second == nil ? 1 : 2 }
    }

    let mapping: CodeMapping
    let model: CoreModel
    /// Every instruction by itself with all its flags: for debuggers.
    let isPrecise: Bool
    /// Where blocks of conditional instructions are kept.
    let blocks: ConditionalBlocks

    /// A register that is always 0, and one that holds what passes between the two operations of an instruction.
    static let zero = 17
    static let scratch = 16

    private var end: UInt32 { mapping.size }

    /// Decodes what is at `address` and puts it into the table.
    /// - Returns: false when no code can be there.
    func decode(at address: UInt32, depth: Int = 12) -> Bool {
        guard let instruction = instruction(at: address) else { return false }
        let place = mapping.ops + Int((address &- mapping.base) >> 1)
        if instruction.first.kind == .itSkip {
            decodeBlock(at: address, place)
            return true
        }
        var first = isPrecise ? instruction.first : withoutDeadFlags(instruction, at: address)
        if !isPrecise, let fused = fused(first, at: address) { first = fused }
        if !isPrecise, instruction.second == nil, let pair = paired(first.kind, place, at: address, depth: depth) {
            first.kind = pair
        }
        place[0] = first
        if let second = instruction.second { place[1] = second }
        return true
    }

    /// The instruction at `address` as the architecture has it; nil where there is no code.
    func instruction(at address: UInt32, inBlock: Bool = false) -> Instruction? {
        guard let first = fetch(address) else { return nil }
        // 0b11101, 0b11110, 0b11111: the first half of a 32-bit instruction
        guard first >= 0xE800 else { return Instruction(narrow(first, at: address, inBlock: inBlock)) }
        guard let second = fetch(address &+ 2) else { return nil }
        return wide(first, second, at: address)
    }

    func fetch(_ address: UInt32) -> UInt32? {
        let offset = address &- mapping.base
        guard offset < end else { return nil }
        mapping.region.noteDecoded(at: mapping.regionOffset &+ offset, count: 2)
        return mapping.region.halfword(at: mapping.regionOffset &+ offset)
    }

    /// The distance of a jump in bytes of the table; to the table's end, which faults, when the target has no place here.
    func distance(from place: UInt32, to target: UInt32) -> UInt32 {
        let offset = target &- mapping.base
        let clamped = offset < end ? offset : end
        return (clamped &- (place &- mapping.base)) &<< 2
    }

    func contains(_ address: UInt32) -> Bool { address &- mapping.base < end }

    /// A word of the literal pool, where it cannot change without decoded code being thrown away.
    func constant(at address: UInt32) -> UInt32? {
        guard mapping.region.kind != .ram, !isPrecise else { return nil }
        let offset = address &- mapping.base
        guard offset < end, offset & 3 == 0, let low = fetch(address), let high = fetch(address &+ 2) else {
            return nil
        }
        return high << 16 | low
    }
}

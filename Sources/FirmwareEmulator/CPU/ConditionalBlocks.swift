/// The IT blocks with both conditions that one machine has decoded: what to put in place of each instruction when the
/// condition holds and when it does not.
final class ConditionalBlocks {
    struct Block {
        /// The operations behind IT, a place each, when the condition of IT holds, and when it does not.
        var holds: [Op]
        var fails: [Op]
    }

    private(set) var blocks: [Block] = []

    func add(_ block: Block) -> UInt32 {
        blocks.append(block)
        return UInt32(truncatingIfNeeded: blocks.count - 1)
    }

    func removeAll() { blocks.removeAll(keepingCapacity: true) }
}

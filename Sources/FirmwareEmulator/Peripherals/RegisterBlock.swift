/// Plain read-back storage for a block of registers, and the base of those that do more.
///
/// Narrow accesses are made into word accesses with a mask, so that a subclass sees words only.
class RegisterBlock: Peripheral {
    let name: String
    let base: UInt32
    let size: UInt32
    private var words: [UInt32]

    init(_ name: String, base: UInt32, size: UInt32 = 0x400) {
        self.name = name
        self.base = base
        self.size = size
        words = Array(repeating: 0, count: Int(size / 4))
    }

    /// The stored word, without side effects; 0 outside.
    final subscript(_ offset: UInt32) -> UInt32 {
        get { Int(offset / 4) < words.count ? words[Int(offset / 4)] : 0 }
        set { if Int(offset / 4) < words.count { words[Int(offset / 4)] = newValue } }
    }

    /// The word that firmware reads at a multiple of 4.
    func load(_ offset: UInt32) -> UInt32 { self[offset] }

    /// Firmware writes those bits of `value` that are in `mask`; the others of `value` are 0.
    func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) { keep(offset, value, mask: mask) }

    /// Plain storage of a write.
    final func keep(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        self[offset] = self[offset] & ~mask | value & mask
    }

    /// A register whose write has no effect but to be read back.
    func isPlain(_ offset: UInt32) -> Bool { false }

    func reset() { for index in words.indices { words[index] = 0 } }

    final func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { load(offset & ~3) >> (8 * (offset & 3)) }

    final func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        let shift = 8 * (offset & 3)
        store(offset & ~3, value << shift, mask: width.mask << shift)
    }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        let shift = 8 * (offset & 3)
        return isPlain(offset & ~3) && self[offset & ~3] & (width.mask << shift) == value << shift
    }

    func isStable(_ offset: UInt32) -> Bool { true }
}

/// Registers that nothing is known to depend on: they keep what is written.
final class StorageBlock: RegisterBlock {
    override func isPlain(_ offset: UInt32) -> Bool { true }
}

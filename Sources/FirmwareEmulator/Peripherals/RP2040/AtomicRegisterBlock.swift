/// Registers of an RP2040 peripheral: 4 KiB that are seen four times, for plain writes and for atomic exclusive or, set
/// and clear (RP2040 datasheet 2.1.2). A narrow write reaches the whole word, on all lanes (2.1.4).
class AtomicRegisterBlock: Peripheral {
    enum Operation: UInt32 {
        case write
        case xor
        case set
        case clear
    }

    let name: String
    let base: UInt32
    let size: UInt32 = 0x4000
    private var words: [UInt32]

    /// - Parameter used: bytes from the begin that keep what is written.
    init(_ name: String, base: UInt32, used: UInt32 = 0x100) {
        self.name = name
        self.base = base
        words = Array(repeating: 0, count: Int(used / 4))
    }

    /// The stored word, without side effects; 0 outside.
    final subscript(_ offset: UInt32) -> UInt32 {
        get { Int(offset / 4) < words.count ? words[Int(offset / 4)] : 0 }
        set { if Int(offset / 4) < words.count { words[Int(offset / 4)] = newValue } }
    }

    /// The word that firmware reads at a multiple of 4 below 4 KiB.
    func load(_ offset: UInt32) -> UInt32 { self[offset] }

    /// Firmware writes a word.
    func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) { keep(offset, value, operation) }

    /// Plain storage of a write.
    final func keep(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        self[offset] = Self.merged(self[offset], value, operation)
    }

    final class func merged(_ old: UInt32, _ value: UInt32, _ operation: Operation) -> UInt32 {
        switch operation {
        case .write: value
        case .xor: old ^ value
        case .set: old | value
        case .clear: old & ~value
        }
    }

    /// A register whose write has no effect but to be read back.
    func isPlain(_ offset: UInt32) -> Bool { false }

    /// Reading it changes nothing and shows the same until something else happens.
    func isSteady(_ offset: UInt32) -> Bool { true }

    /// Not a register that firmware waits for.
    func isReadFreely(_ offset: UInt32) -> Bool { false }

    func reset() { for index in words.indices { words[index] = 0 } }

    final func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { load(offset & 0xFFC) >> (8 * (offset & 3)) }

    final func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        store(offset & 0xFFC, Self.onAllLanes(value, width), Self.operation(offset))
    }

    private static func operation(_ offset: UInt32) -> Operation { Operation(rawValue: offset >> 12 & 3) ?? .write }

    static func onAllLanes(_ value: UInt32, _ width: AccessWidth) -> UInt32 {
        switch width {
        case .byte: value &* 0x0101_0101
        case .half: value &* 0x0001_0001
        case .word: value
        }
    }

    final func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        isNeutral(offset & 0xFFC, value: Self.onAllLanes(value, width), Self.operation(offset))
    }

    /// A write that would leave everything as it is.
    func isNeutral(_ offset: UInt32, value: UInt32, _ operation: Operation) -> Bool {
        isPlain(offset) && Self.merged(self[offset], value, operation) == self[offset]
    }

    final func isStable(_ offset: UInt32) -> Bool { isSteady(offset & 0xFFC) }
}

/// RP2040 registers that nothing is known to depend on: they keep what is written.
final class AtomicStorageBlock: AtomicRegisterBlock {
    private let initial: [UInt32: UInt32]
    private let fixed: [UInt32: UInt32]

    /// - Parameters:
    ///   - initial: values after reset, by offset, where they are not 0.
    ///   - fixed: values that reading always shows.
    init(
        _ name: String, base: UInt32, used: UInt32 = 0x200, initial: [UInt32: UInt32] = [:],
        fixed: [UInt32: UInt32] = [:]
    ) {
        self.initial = initial
        self.fixed = fixed
        super.init(name, base: base, used: used)
    }

    override func reset() {
        super.reset()
        for (offset, value) in initial { self[offset] = value }
    }

    override func load(_ offset: UInt32) -> UInt32 { fixed[offset] ?? self[offset] }
    override func isPlain(_ offset: UInt32) -> Bool { true }
}

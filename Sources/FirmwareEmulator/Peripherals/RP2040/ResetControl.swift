/// RESETS (RP2040 datasheet 2.14): holds peripherals in reset; they come out of it at once.
final class ResetControl: AtomicRegisterBlock {
    static let all: UInt32 = 0x01FF_FFFF
    /// Called with the bits of peripherals that go into reset.
    var onReset: (UInt32) -> Void = { _ in }
    /// Called with all that are in reset now.
    var onChange: (UInt32) -> Void = { _ in }

    init() { super.init("RESETS", base: 0x4000_C000) }

    override func reset() {
        super.reset()
        self[0x00] = Self.all
        onChange(Self.all)
    }

    override func load(_ offset: UInt32) -> UInt32 { offset == 8 ? ~self[0] & Self.all : self[offset] }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        let before = self[0]
        keep(offset, value, operation)
        guard offset == 0 else { return }
        self[0] &= Self.all
        if self[0] & ~before != 0 { onReset(self[0] & ~before) }
        if self[0] != before { onChange(self[0]) }
    }
}

/// PSM (RP2040 datasheet 2.13): everything is on but what is forced off.
final class PowerOnStateMachine: AtomicRegisterBlock {
    /// Called with FRCE_OFF.PROC1.
    var onSecondCore: (_ isOff: Bool) -> Void = { _ in }
    private static let secondCore: UInt32 = 1 << 16

    init() { super.init("PSM", base: 0x4001_0000) }

    override func load(_ offset: UInt32) -> UInt32 { offset == 0xC ? 0x1FFFF & ~self[4] : self[offset] }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        let before = self[4]
        keep(offset, value, operation)
        guard (before ^ self[4]) & Self.secondCore != 0 else { return }
        onSecondCore(self[4] & Self.secondCore != 0)
    }
}

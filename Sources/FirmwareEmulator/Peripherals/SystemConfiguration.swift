/// SYSCFG: what is at address 0, and which port drives each external interrupt (RM0091 chapter 9).
final class SystemConfiguration: RegisterBlock {
    /// MEM_MODE: 1 is system memory, 3 SRAM, all else flash.
    var onMemoryMode: (UInt32) -> Void = { _ in }
    /// F303: USB_IT_RMP moves the USB interrupts to 74 to 76.
    var onInterruptRemap: (Bool) -> Void = { _ in }

    init(base: UInt32 = 0x4001_0000) { super.init("SYSCFG", base: base) }

    override func reset() {
        super.reset()
        onMemoryMode(0)
        onInterruptRemap(false)
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        keep(offset, value, mask: mask)
        guard offset == 0 else { return }
        onMemoryMode(self[0] & 3)
        onInterruptRemap(self[0] & 0x20 != 0)
    }

    override func isPlain(_ offset: UInt32) -> Bool { true }

    /// The port that drives an external interrupt line 0…15.
    func port(ofLine line: Int) -> Int { Int(self[0x08 + UInt32(line / 4) * 4] >> UInt32(line % 4 * 4) & 0xF) }
}

/// AFIO: the same for F1, where nothing else of it is observable (RM0008 chapter 9.4).
final class AlternateFunctions: RegisterBlock {
    init() { super.init("AFIO", base: 0x4001_0000) }

    override func isPlain(_ offset: UInt32) -> Bool { true }

    func port(ofLine line: Int) -> Int { Int(self[0x08 + UInt32(line / 4) * 4] >> UInt32(line % 4 * 4) & 0xF) }
}

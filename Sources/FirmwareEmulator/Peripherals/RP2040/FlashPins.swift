/// IO_QSPI (RP2040 datasheet 2.19.6.2): the override of the flash's select.
final class FlashPins: AtomicRegisterBlock {
    private static let select: UInt32 = 0x0C
    /// Called with OUTOVER of SS holding it low.
    var onSelect: (_ isHeldLow: Bool) -> Void = { _ in }

    init() { super.init("IO_QSPI", base: 0x4001_8000) }

    override func reset() {
        super.reset()
        for index in 0..<UInt32(6) { self[index * 8 + 4] = 0x1F }
        onSelect(false)
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        keep(offset, value, operation)
        if offset == Self.select { onSelect(self[offset] >> 8 & 3 == 2) }
    }

    override func isPlain(_ offset: UInt32) -> Bool { offset != Self.select }
}

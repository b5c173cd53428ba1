/// RNG: always has a number when it is on (RM0090 chapter 24). Numbers come from the chip's identity, so that a run can be
/// repeated.
final class RandomNumberGenerator: RegisterBlock {
    private let interrupts: any InterruptLines
    private let irq: Int
    private let next: () -> UInt32

    init(interrupts: any InterruptLines, irq: Int, next: @escaping () -> UInt32) {
        self.interrupts = interrupts
        self.irq = irq
        self.next = next
        super.init("RNG", base: 0x5006_0800)
    }

    private var isOn: Bool { self[0x00] & 4 != 0 }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x04: isOn ? 1 : 0
        case 0x08: isOn ? next() : 0
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        guard offset == 0 else { return }
        keep(offset, value, mask: mask)
        interrupts.setLine(irq, isOn && self[0x00] & 8 != 0)
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x08 }
}

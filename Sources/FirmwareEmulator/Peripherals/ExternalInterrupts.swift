/// EXTI: edges of pins and of internal lines become interrupts (RM0091 chapter 11, RM0008 chapter 10).
final class ExternalInterrupts: RegisterBlock {
    private let interrupts: any InterruptLines
    /// NVIC interrupt of each line; nil where a line has none.
    private let irq: (Int) -> Int?
    private let portOfLine: (Int) -> Int
    private var raised: Set<Int> = []

    init(
        base: UInt32 = 0x4001_0400, interrupts: any InterruptLines, pins: PinBank, irq: @escaping (Int) -> Int?,
        portOfLine: @escaping (Int) -> Int
    ) {
        self.interrupts = interrupts
        self.irq = irq
        self.portOfLine = portOfLine
        super.init("EXTI", base: base)
        pins.onChange.append { [unowned self] port, before, after in pinsChanged(port, before, after) }
    }

    override func reset() {
        super.reset()
        updateLines()
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x10:
            // A software interrupt is pending as long as its enabled bit newly set.
            let new = value & mask & ~self[0x10] & self[0x00]
            self[0x10] |= value & mask
            self[0x14] |= new
        case 0x14:
            self[0x14] &= ~(value & mask)
            self[0x10] &= ~(value & mask)
        default: keep(offset, value, mask: mask)
        }
        updateLines()
    }

    /// An edge of an internal line, such as 18 for USB wake-up.
    func edge(line: Int, rising: Bool) {
        let selected = self[rising ? 0x08 : 0x0C] >> UInt32(line) & 1
        guard selected == 1 else { return }
        self[0x14] |= 1 << UInt32(line)
        updateLines()
    }

    private func pinsChanged(_ port: Int, _ before: UInt16, _ after: UInt16) {
        let changed = before ^ after
        for line in 0..<16 where changed >> UInt16(line) & 1 == 1 && portOfLine(line) == port {
            edge(line: line, rising: after >> UInt16(line) & 1 == 1)
        }
    }

    private func updateLines() {
        let active = self[0x14] & self[0x00]
        var wanted: Set<Int> = []
        for line in 0..<32 where active >> UInt32(line) & 1 == 1 {
            if let number = irq(line) { wanted.insert(number) }
        }
        for number in raised.subtracting(wanted) { interrupts.setLine(number, false) }
        for number in wanted.subtracting(raised) { interrupts.setLine(number, true) }
        raised = wanted
    }
}

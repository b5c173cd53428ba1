/// Lets several peripherals share one interrupt: the line is high as long as any of them holds it high.
final class InterruptHub {
    private let lines: any InterruptLines
    private var holders: [Int: Int] = [:]

    init(_ lines: any InterruptLines) { self.lines = lines }

    /// One peripheral's view of the lines.
    func source() -> any InterruptLines { Source(self) }

    private final class Source: InterruptLines {
        private let hub: InterruptHub
        private var high: Set<Int> = []

        init(_ hub: InterruptHub) { self.hub = hub }

        func setLine(_ irq: Int, _ isHigh: Bool) {
            let changed = isHigh ? high.insert(irq).inserted : high.remove(irq) != nil
            if changed { hub.change(irq, by: isHigh ? 1 : -1) }
        }

        func pend(_ irq: Int) { hub.lines.pend(irq) }
    }

    private func change(_ irq: Int, by step: Int) {
        let before = holders[irq, default: 0]
        holders[irq] = before + step
        if before == 0 || before + step == 0 { lines.setLine(irq, before + step > 0) }
    }
}

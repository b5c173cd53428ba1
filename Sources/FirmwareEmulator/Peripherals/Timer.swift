/// TIM: an up-counter with prescaler, update and compare interrupts (RM0091 chapters 17 to 20, RM0008 chapters 14 to 17).
///
/// The count is worked out from virtual time when it is looked at; an event is scheduled only for what interrupts.
final class Timer: RegisterBlock {
    private let clock: VirtualClock
    private let interrupts: any InterruptLines
    private let irqs: [Int]
    private let frequency: () -> UInt64
    /// 32-bit counter (TIM2 of F0 and F3).
    private let limit: UInt64
    private var event: ClockEvent?
    /// Nanoseconds at which the count was `countThen`.
    private var since: UInt64 = 0
    private var countThen: UInt64 = 0
    /// Values in force, which PSC and ARR replace at the next update.
    private var prescaler: UInt64 = 1

    private enum Control {
        static let enable: UInt32 = 1 << 0
        static let onePulse: UInt32 = 1 << 3
    }

    init(
        _ name: String, base: UInt32, is32Bit: Bool, clock: VirtualClock, interrupts: any InterruptLines, irqs: [Int],
        frequency: @escaping () -> UInt64
    ) {
        self.clock = clock
        self.interrupts = interrupts
        self.irqs = irqs
        self.frequency = frequency
        limit = is32Bit ? 0xFFFF_FFFF : 0xFFFF
        super.init(name, base: base)
        event = clock.event(name) { [unowned self] in catchUp() }
    }

    override func reset() {
        super.reset()
        self[0x2C] = UInt32(truncatingIfNeeded: limit)
        prescaler = 1
        countThen = 0
        since = clock.nanoseconds
        event?.cancel()
        updateLine()
    }

    private var isRunning: Bool { self[0x00] & Control.enable != 0 }
    private var period: UInt64 { (UInt64(self[0x2C]) & limit) + 1 }
    /// Counts in a second.
    private var rate: UInt64 { max(frequency() / prescaler, 1) }

    private func counts(_ nanoseconds: UInt64) -> UInt64 {
        let product = nanoseconds.multipliedFullWidth(by: rate)
        guard product.high < 1_000_000_000 else { return 0 }
        return (1_000_000_000 as UInt64).dividingFullWidth(product).quotient
    }

    /// Nanoseconds that `counts` take, rounded up.
    private func nanoseconds(_ counts: UInt64) -> UInt64 {
        let product = counts.multipliedFullWidth(by: 1_000_000_000)
        guard product.high < rate else { return .max / 4 }
        return rate.dividingFullWidth(product).quotient &+ 1
    }

    /// Brings count and flags up to the present.
    private func catchUp() {
        guard isRunning else { return }
        let passed = counts(clock.nanoseconds &- since)
        guard passed > 0 else { return schedule() }
        let total = countThen &+ passed
        for channel in 0..<UInt32(4) {
            let compare = UInt64(self[0x34 + 4 * channel]) & limit
            let distance = compare > countThen ? compare - countThen : compare + period - countThen
            if compare < period, distance <= passed { self[0x10] |= 2 << channel }
        }
        // The remainder of a count stays in `since`, so that nothing is lost by looking often.
        since = since &+ nanoseconds(passed) &- 1
        countThen = total % period
        if total >= period {
            update()
            if self[0x00] & Control.onePulse != 0 {
                self[0x00] &= ~Control.enable
                countThen = 0
            }
        }
        updateLine()
        schedule()
    }

    /// An update event: buffered registers take effect, UIF is set.
    private func update() {
        prescaler = UInt64(self[0x28] & 0xFFFF) + 1
        if self[0x00] & 2 == 0 { self[0x10] |= 1 }
    }

    private func schedule() {
        guard isRunning, self[0x0C] & 0x1F != 0 else {
            event?.cancel()
            return
        }
        var next = period - min(countThen, period - 1)
        for channel in 0..<UInt32(4) where self[0x0C] >> (channel + 1) & 1 == 1 {
            let compare = UInt64(self[0x34 + 4 * channel]) & limit
            guard compare < period else { continue }
            next = min(next, compare > countThen ? compare - countThen : compare + period - countThen)
        }
        let due = since &+ nanoseconds(next)
        let now = clock.nanoseconds
        event?.schedule(after: clock.cycles(nanoseconds: due > now ? due - now : 0) + 1)
    }

    private func updateLine() {
        let isHigh = self[0x10] & self[0x0C] & 0x5F != 0
        for irq in irqs { interrupts.setLine(irq, isHigh) }
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x24:
            catchUp()
            return UInt32(truncatingIfNeeded: countThen)
        case 0x10:
            catchUp()
            return self[0x10]
        case 0x14: return 0
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        catchUp()
        switch offset {
        case 0x00:
            let wasRunning = isRunning
            keep(offset, value, mask: mask)
            if isRunning, !wasRunning { since = clock.nanoseconds }
        case 0x10: self[0x10] &= value | ~mask
        case 0x14:
            if value & 1 != 0 {
                countThen = 0
                since = clock.nanoseconds
                update()
            }
            self[0x10] |= value & 0x5E
        case 0x24:
            countThen = UInt64(value) & limit
            since = clock.nanoseconds
        default: keep(offset, value, mask: mask)
        }
        updateLine()
        schedule()
    }

    override func isStable(_ offset: UInt32) -> Bool { !isRunning || offset != 0x24 && offset != 0x10 }
}

/// The 24-bit timer of the core (ARMv7-M ARM B3.3): counted from the clock when looked at, with an event for each wrap.
final class SysTick {
    private unowned let clock: VirtualClock
    private let onWrap: () -> Void
    private lazy var wrap = clock.event("SysTick") { [unowned self] in wrapped() }
    private(set) var control: UInt32 = 0
    private(set) var reload: UInt32 = 0
    private var countFlag = false
    /// The cycle at which the counter was 0 last, or was cleared; while disabled, the value that it keeps.
    private var zero: UInt64 = 0
    private var held: UInt32 = 0

    init(clock: VirtualClock, onWrap: @escaping () -> Void) {
        self.clock = clock
        self.onWrap = onWrap
    }

    func reset() {
        control = 0
        reload = 0
        countFlag = false
        held = 0
        wrap.cancel()
    }

    private var isCounting: Bool { control & 1 != 0 && reload != 0 }
    /// CLKSOURCE 0 is HCLK/8 in STM32 chips.
    private var divider: UInt64 { control & 4 != 0 ? 1 : 8 }
    private var period: UInt64 { (UInt64(reload) + 1) * divider }

    var value: UInt32 {
        guard isCounting else { return held }
        let ticks = (clock.now &- zero) / divider
        if ticks == 0 { return 0 }
        return reload &- UInt32((ticks - 1) % (UInt64(reload) + 1))
    }

    /// COUNTFLAG is cleared by reading.
    func readControl() -> UInt32 {
        defer { countFlag = false }
        return control | (countFlag ? 1 << 16 : 0)
    }

    var isCountFlagSet: Bool { countFlag }

    func write(control newValue: UInt32) {
        let old = value
        let wasCounting = isCounting
        control = newValue & 7
        held = old
        if isCounting {
            // Counting goes on from the value that was held, unless nothing changed.
            if !wasCounting || old != value { resume(from: old) }
        }
        schedule()
    }

    func write(reload newValue: UInt32) {
        let old = value
        let wasCounting = isCounting
        reload = newValue & 0xFF_FFFF
        held = old
        if isCounting { wasCounting ? resume(from: min(old, reload)) : resume(from: old) }
        schedule()
    }

    /// Writing any value clears the counter and COUNTFLAG.
    func clearValue() {
        held = 0
        countFlag = false
        zero = clock.now
        schedule()
    }

    private func resume(from value: UInt32) {
        // value = reload - (ticks - 1) % (reload + 1)
        let ticks = value == 0 ? 0 : UInt64(reload &- min(value, reload)) + 1
        zero = clock.now &- ticks &* divider
    }

    private func schedule() {
        guard isCounting else { return wrap.cancel() }
        let passed = (clock.now &- zero) / period
        // A period of a few cycles would leave the host nothing else to do.
        wrap.schedule(at: max(zero &+ (passed + 1) &* period, clock.now &+ 32))
    }

    private func wrapped() {
        countFlag = true
        if control & 2 != 0 { onWrap() }
        schedule()
    }
}

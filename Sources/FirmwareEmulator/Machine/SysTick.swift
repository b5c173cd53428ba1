/// The 24-bit timer of the core (ARMv7-M ARM B3.3): counted from the clock when looked at, with an event for each wrap.
final class SysTick {
    private unowned let clock: VirtualClock
    private let onWrap: () -> Void
    private lazy var wrap = clock.event("SysTick") { [unowned self] in wrapped() }
    private(set) var control: UInt32 = 0
    private(set) var reload: UInt32 = 0
    private var countFlag = false
    /// The cycle at which the counter was 0 last, or was cleared, and what it was loaded with then. RVR counts from the
    /// next 0 on: with 0 in it a countdown under way still comes to its end, once.
    private var zero: UInt64 = 0
    private var loaded: UInt32 = 0
    /// While nothing is counted, the value that is kept.
    private var held: UInt32 = 0

    init(clock: VirtualClock, onWrap: @escaping () -> Void) {
        self.clock = clock
        self.onWrap = onWrap
    }

    func reset() {
        control = 0
        reload = 0
        loaded = 0
        countFlag = false
        held = 0
        wrap.cancel()
    }

    private var isCounting: Bool { control & 1 != 0 && loaded != 0 }
    /// CLKSOURCE 0 is HCLK/8 in STM32 chips.
    private var divider: UInt64 { control & 4 != 0 ? 1 : 8 }
    private var period: UInt64 { (UInt64(loaded) + 1) * divider }

    /// Lets the first countdown that has ended be followed by those that RVR asks for.
    private func settle() {
        guard isCounting, loaded != reload, clock.now &- zero >= period else { return }
        zero &+= period
        loaded = reload
        if loaded == 0 { held = 0 }
    }

    var value: UInt32 {
        settle()
        guard isCounting else { return held }
        let ticks = (clock.now &- zero) / divider
        if ticks == 0 { return 0 }
        return loaded &- UInt32((ticks - 1) % (UInt64(loaded) + 1))
    }

    /// COUNTFLAG is cleared by reading.
    func readControl() -> UInt32 {
        defer { countFlag = false }
        return control | (countFlag ? 1 << 16 : 0)
    }

    var isCountFlagSet: Bool { countFlag }

    func write(control newValue: UInt32) {
        let old = value
        let before = control
        control = newValue & 7
        if control & 1 == 0 {
            held = old
        } else if (control ^ before) & 5 != 0 {
            // Counting goes on from the value that was held.
            resume(from: old)
        }
        schedule()
    }

    func write(reload newValue: UInt32) {
        let old = value
        reload = newValue & 0xFF_FFFF
        // A counter at rest starts; one that was just cleared has been loaded with the old value if that was any.
        if control & 1 != 0, loaded == 0 || old == 0 && reload != 0 { resume(from: old) }
        schedule()
    }

    /// Writing any value clears the counter and COUNTFLAG.
    func clearValue() {
        countFlag = false
        held = 0
        if control & 1 != 0 { resume(from: 0) }
        schedule()
    }

    private func resume(from value: UInt32) {
        loaded = value == 0 ? reload : value
        zero = value == 0 ? clock.now : clock.now &- divider
        held = value
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
        settle()
        schedule()
    }
}

/// IWDG: resets the chip when its counter runs out, at 40 kHz divided (RM0091 chapter 25).
final class IndependentWatchdog: RegisterBlock {
    private let clock: VirtualClock
    private var event: ClockEvent?
    private var isUnlocked = false
    private var isStarted = false

    init(clock: VirtualClock, onTimeout: @escaping () -> Void) {
        self.clock = clock
        super.init("IWDG", base: 0x4000_3000)
        event = clock.event("IWDG", onTimeout)
    }

    override func reset() {
        super.reset()
        self[0x08] = 0xFFF
        self[0x10] = 0xFFF
        isUnlocked = false
        isStarted = false
        event?.cancel()
    }

    override func load(_ offset: UInt32) -> UInt32 { offset == 0 ? 0 : self[offset] }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch (offset, value & 0xFFFF) {
        case (0x00, 0x5555): isUnlocked = true
        case (0x00, 0xAAAA):
            isUnlocked = false
            reload()
        case (0x00, 0xCCCC):
            isStarted = true
            reload()
        case (0x00, _): isUnlocked = false
        case (0x04, _) where isUnlocked: keep(offset, value & 7, mask: mask)
        case (0x08, _) where isUnlocked: keep(offset, value & 0xFFF, mask: mask)
        case (0x10, _) where isUnlocked:
            keep(offset, value & 0xFFF, mask: mask)
            reload()
        default: break
        }
    }

    private func reload() {
        guard isStarted else { return }
        let divider = UInt64(4) << UInt64(min(self[0x04] & 7, 6))
        event?.schedule(after: clock.cycles(nanoseconds: (UInt64(self[0x08]) + 1) * divider * 25_000))
    }
}

/// WWDG: resets the chip when its 7-bit counter falls below 0x40 or is reloaded too early (RM0091 chapter 26).
final class WindowWatchdog: RegisterBlock {
    private let clock: VirtualClock
    private let interrupts: any InterruptLines
    private let onTimeout: () -> Void
    private var event: ClockEvent?
    private var since: UInt64 = 0
    private let busFrequency: () -> UInt64

    init(
        clock: VirtualClock, interrupts: any InterruptLines, busFrequency: @escaping () -> UInt64,
        onTimeout: @escaping () -> Void
    ) {
        self.clock = clock
        self.interrupts = interrupts
        self.busFrequency = busFrequency
        self.onTimeout = onTimeout
        super.init("WWDG", base: 0x4000_2C00)
        event = clock.event("WWDG") { [unowned self] in due() }
    }

    override func reset() {
        super.reset()
        self[0x00] = 0x7F
        self[0x04] = 0x7F
        event?.cancel()
        interrupts.setLine(0, false)
    }

    /// Nanoseconds of one count.
    private var tick: UInt64 {
        max(1, 4096 * (1 << UInt64(self[0x04] >> 7 & 3)) * 1_000_000_000 / max(busFrequency(), 1))
    }

    private var count: UInt32 {
        let passed = min((clock.nanoseconds &- since) / tick, 0x7F)
        let start = self[0x00] & 0x7F
        return start > UInt32(passed) ? start - UInt32(passed) : 0
    }

    private var isActive: Bool { self[0x00] & 0x80 != 0 }

    override func load(_ offset: UInt32) -> UInt32 {
        offset == 0 && isActive ? 0x80 | count : self[offset]
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00:
            let tooEarly = isActive && count > self[0x04] & 0x7F
            self[0x00] = value & 0xFF | self[0x00] & 0x80
            since = clock.nanoseconds
            guard isActive else { return }
            if tooEarly || value & 0x40 == 0 { onTimeout() } else { schedule() }
        case 0x08:
            self[0x08] &= value | ~mask
            interrupts.setLine(0, false)
        default:
            keep(offset, value, mask: mask)
            if isActive { schedule() }
        }
    }

    private func schedule() {
        let counts = UInt64(count) - 0x3F
        // The early wake-up interrupt comes at 0x40, one count before the reset.
        let early = self[0x04] & 0x200 != 0 && counts > 1
        event?.schedule(after: clock.cycles(nanoseconds: (early ? counts - 1 : counts) * tick))
    }

    private func due() {
        guard count <= 0x40, count > 0x3F, self[0x04] & 0x200 != 0, self[0x08] & 1 == 0 else {
            if count <= 0x3F { onTimeout() } else { schedule() }
            return
        }
        self[0x08] |= 1
        interrupts.setLine(0, true)
        event?.schedule(after: clock.cycles(nanoseconds: tick))
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0 }
}

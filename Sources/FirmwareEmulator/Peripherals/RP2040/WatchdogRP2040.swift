/// WATCHDOG of the RP2040: counter, tick generator and eight words that a reset leaves alone (datasheet 4.7).
final class WatchdogRP2040: AtomicRegisterBlock {
    private enum Register {
        static let control: UInt32 = 0x00, load: UInt32 = 0x04, reason: UInt32 = 0x08, scratch: UInt32 = 0x0C
        static let tick: UInt32 = 0x2C
    }

    private let clock: VirtualClock
    private let onReset: () -> Void
    private var event: ClockEvent?
    private var scratch = [UInt32](repeating: 0, count: 8)
    private var reason: UInt32 = 0
    /// Virtual nanoseconds at which it runs out.
    private var deadline: UInt64 = 0

    init(clock: VirtualClock, onReset: @escaping () -> Void) {
        self.clock = clock
        self.onReset = onReset
        super.init("WATCHDOG", base: 0x4005_8000)
        event = clock.event("WATCHDOG") { [unowned self] in expire(1) }
        clock.onFrequencyChange.append { [weak self] in self?.schedule() }
    }

    func powerOn() {
        scratch = Array(repeating: 0, count: 8)
        reason = 0
    }

    override func reset() {
        super.reset()
        self[Register.control] = 0x0700_0000
        event?.cancel()
    }

    /// SCRATCH4…7, which the boot ROM looks at.
    var bootWords: [UInt32] { Array(scratch[4...]) }
    /// What a boot leaves behind.
    func clearBootMagic() { scratch[4] = 0 }

    private var isEnabled: Bool { self[Register.control] >> 30 & 1 == 1 }

    /// Microseconds left; the counter goes down by 2 each microsecond (erratum RP2040-E1).
    private var left: UInt64 {
        let now = clock.nanoseconds
        return isEnabled && deadline > now ? (deadline - now) / 1000 : 0
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.control: self[offset] & 0x7F00_0000 | UInt32(truncatingIfNeeded: min(left * 2, 0xFF_FFFF))
        case Register.load: 0
        case Register.reason: reason
        case Register.scratch..<Register.tick: scratch[Int(offset - Register.scratch) / 4]
        case Register.tick: self[offset] & 0x3FF | (self[offset] >> 9 & 1) << 10
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        switch offset {
        case Register.control:
            let wasEnabled = isEnabled
            keep(offset, value, operation)
            if self[offset] >> 31 & 1 == 1 { return expire(2) }
            if isEnabled, !wasEnabled { restart() }
            if !isEnabled { event?.cancel() }
        case Register.load:
            self[Register.load] = value & 0xFF_FFFF
            restart()
        case Register.reason: break
        case Register.scratch..<Register.tick:
            let index = Int(offset - Register.scratch) / 4
            scratch[index] = Self.merged(scratch[index], value, operation)
        default: keep(offset, value, operation)
        }
    }

    private func restart() {
        deadline = clock.nanoseconds + UInt64(self[Register.load]) * 500
        schedule()
    }

    private func schedule() {
        guard isEnabled else { return }
        let now = clock.nanoseconds
        event?.schedule(after: clock.cycles(nanoseconds: deadline > now ? deadline - now : 0) + 1)
    }

    private func expire(_ cause: UInt32) {
        self[Register.control] &= 0x3FFF_FFFF
        reason = cause
        onReset()
    }

    override func isSteady(_ offset: UInt32) -> Bool { offset != 0 || !isEnabled }
}

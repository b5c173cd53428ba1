/// TIMER of the RP2040: 64 bits of microseconds and four alarms (datasheet 4.6).
///
/// Deviation: firmware whose loop does nothing but look at the time sees it move in steps of up to a millisecond. Such a
/// loop could not be told from one that works otherwise, and would cost the host all that the chip can execute.
final class MicrosecondTimer: AtomicRegisterBlock {
    private enum Register {
        static let writeHigh: UInt32 = 0x00, writeLow: UInt32 = 0x04, readHigh: UInt32 = 0x08, readLow: UInt32 = 0x0C
        static let alarm: UInt32 = 0x10, armed: UInt32 = 0x20, rawHigh: UInt32 = 0x24, rawLow: UInt32 = 0x28
        static let pause: UInt32 = 0x30, raw: UInt32 = 0x34, enable: UInt32 = 0x38, force: UInt32 = 0x3C
        static let status: UInt32 = 0x40
    }

    /// Microseconds.
    static let step: UInt64 = 1000

    private let clock: VirtualClock
    private let interrupts: any InterruptLines
    /// Firmware is being looked at, or known, to be in a loop that only waits.
    private let isInIdleLoop: () -> Bool
    /// Virtual microseconds at which the count was 0, wrapping.
    private var origin: UInt64 = 0
    private var latchedHigh: UInt32 = 0
    private var shown: UInt64 = 0
    private var armed: UInt32 = 0
    private var events: [ClockEvent] = []
    private var stepEvent: ClockEvent?

    init(clock: VirtualClock, interrupts: any InterruptLines, isInIdleLoop: @escaping () -> Bool) {
        self.clock = clock
        self.interrupts = interrupts
        self.isInIdleLoop = isInIdleLoop
        super.init("TIMER", base: 0x4005_4000)
        events = (0..<4).map { index in
            clock.event("TIMER alarm \(index)") { [unowned self] in fire(index) }
        }
        stepEvent = clock.event("TIMER step") {}
        clock.onFrequencyChange.append { [weak self] in self?.reschedule() }
    }

    override func reset() {
        super.reset()
        origin = clock.nanoseconds / 1000
        shown = 0
        armed = 0
        for event in events { event.cancel() }
        updateLines()
    }

    private var exact: UInt64 { clock.nanoseconds / 1000 &- origin }

    /// What firmware sees.
    private var count: UInt64 {
        let now = exact
        guard isInIdleLoop() else {
            shown = now
            return now
        }
        // Never back: steps are counted from where firmware saw the time last.
        if now >= shown, now - shown < Self.step {
            if stepEvent?.due == nil { schedule(stepEvent, at: shown &+ Self.step) }
        } else {
            shown = now
        }
        return shown
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.readHigh: return latchedHigh
        case Register.readLow:
            let now = count
            latchedHigh = UInt32(truncatingIfNeeded: now >> 32)
            return UInt32(truncatingIfNeeded: now)
        case Register.rawHigh: return UInt32(truncatingIfNeeded: count >> 32)
        case Register.rawLow: return UInt32(truncatingIfNeeded: count)
        case Register.armed: return armed
        case Register.status: return (self[Register.raw] | self[Register.force]) & self[Register.enable]
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        switch offset {
        case Register.writeHigh:
            let time = UInt64(value) << 32 | UInt64(self[Register.writeLow])
            origin = clock.nanoseconds / 1000 &- time
            shown = time
            reschedule()
        case Register.alarm..<Register.armed:
            keep(offset, value, operation)
            let index = Int(offset - Register.alarm) / 4
            armed |= 1 << index
            schedule(index)
        case Register.armed:
            armed &= ~value
            for index in 0..<4 where value >> index & 1 != 0 { events[index].cancel() }
        case Register.raw: self[Register.raw] &= ~value
        case Register.status, Register.readHigh, Register.readLow, Register.rawHigh, Register.rawLow: break
        default: keep(offset, value, operation)
        }
        updateLines()
    }

    /// Due when the low word of the count is the alarm's.
    private func schedule(_ index: Int) {
        let now = exact
        let target = self[Register.alarm + UInt32(index) * 4]
        let distance = target &- UInt32(truncatingIfNeeded: now)
        schedule(events[index], at: now &+ UInt64(distance))
    }

    private func schedule(_ event: ClockEvent?, at microseconds: UInt64) {
        let due = (origin &+ microseconds) &* 1000
        let now = clock.nanoseconds
        event?.schedule(after: due > now ? clock.cycles(nanoseconds: due - now) + 1 : 1)
    }

    private func reschedule() {
        for index in 0..<4 where armed >> UInt32(index) & 1 != 0 { schedule(index) }
    }

    private func fire(_ index: Int) {
        guard armed >> UInt32(index) & 1 != 0 else { return }
        armed &= ~(1 << UInt32(index))
        self[Register.raw] |= 1 << UInt32(index)
        updateLines()
    }

    private func updateLines() {
        let status = load(Register.status)
        for index in 0..<4 { interrupts.setLine(index, status >> UInt32(index) & 1 != 0) }
    }

    override func isReadFreely(_ offset: UInt32) -> Bool { true }

    override func isSteady(_ offset: UInt32) -> Bool {
        switch offset {
        case Register.readLow, Register.rawHigh, Register.rawLow: isInIdleLoop()
        default: true
        }
    }
}

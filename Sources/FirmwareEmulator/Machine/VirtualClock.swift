/// Virtual time of one machine: cycles, one for each halfword of code that the CPU executes, and what is due when.
public final class VirtualClock {
    /// CPU cycles in a second; the RCC model sets it when firmware switches its clock.
    public var hertz: UInt64 {
        get { rate }
        set { change(hertz: newValue) }
    }
    /// Called after ``hertz`` changed, for timers that count time and not cycles.
    public var onFrequencyChange: [() -> Void] = []
    /// Cycles since the machine was made; exact also inside a peripheral's read or write.
    public var now: UInt64 { isExecuting ? readNow?() ?? settled : settled }
    /// The cycle of the next event; `UInt64.max` for none.
    public private(set) var nextDue = UInt64.max

    private var rate: UInt64
    private var rateSince: UInt64 = 0
    private var nanosecondsBefore: UInt64 = 0
    private var events: [ClockEvent] = []
    /// The one that is due at ``nextDue``.
    private var next: ClockEvent?
    /// The cycle up to which time has been accounted while the CPU is not executing.
    var settled: UInt64 = 0
    /// The CPU is in the middle of its instructions: time is then what ``readNow`` says.
    var isExecuting = false
    /// Settled time plus what the CPU has executed since.
    var readNow: (() -> UInt64)?
    /// Tells the CPU that its next stop may be nearer now.
    var onScheduleChange: (() -> Void)?

    public init(hertz: UInt64) {
        rate = max(hertz, 1)
    }

    /// Virtual time since the machine was made, in nanoseconds, whatever the clock's rates were.
    public var nanoseconds: UInt64 {
        nanosecondsBefore &+ Self.scale(now &- rateSince, by: 1_000_000_000, over: rate)
    }

    /// How many cycles at the present rate make `nanoseconds`.
    public func cycles(nanoseconds: UInt64) -> UInt64 { Self.scale(nanoseconds, by: rate, over: 1_000_000_000) }

    /// A new event, not scheduled yet. It must not outlive the clock.
    public func event(_ name: String, _ action: @escaping () -> Void) -> ClockEvent {
        let event = ClockEvent(name: name, clock: self, action: action)
        events.append(event)
        return event
    }

    /// Runs what is due, in order of time, also what those events schedule for now or earlier.
    /// - Returns: true when something ran.
    func fireDue() -> Bool {
        var didFire = false
        // An event that schedules itself for the past for ever must not hang the machine.
        var rounds = 0
        while nextDue <= settled, rounds < 10_000, let event = next {
            event.dueCycle = .max
            findNext()
            event.action()
            didFire = true
            rounds += 1
        }
        return didFire
    }

    /// `event` has another due cycle than before.
    func scheduleChanged(_ event: ClockEvent) {
        if event.dueCycle < nextDue {
            nextDue = event.dueCycle
            next = event
        } else if next === event {
            findNext()
        }
        onScheduleChange?()
    }

    private func findNext() {
        nextDue = .max
        next = nil
        for event in events where event.dueCycle < nextDue {
            nextDue = event.dueCycle
            next = event
        }
    }

    private func change(hertz: UInt64) {
        let hertz = max(hertz, 1)
        guard hertz != rate else { return }
        nanosecondsBefore = nanoseconds
        rateSince = now
        rate = hertz
        for action in onFrequencyChange { action() }
    }

    private static func scale(_ value: UInt64, by factor: UInt64, over divisor: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: factor)
        guard product.high < divisor else { return .max }
        return divisor.dividingFullWidth((product.high, product.low)).quotient
    }
}

/// One thing that happens at a cycle of virtual time; made once by ``VirtualClock/event(_:_:)`` and scheduled many times.
public final class ClockEvent {
    /// For reports.
    public let name: String
    /// The cycle it is due at; nil while it is not scheduled.
    public var due: UInt64? { dueCycle == .max ? nil : dueCycle }

    unowned let clock: VirtualClock
    let action: () -> Void
    var dueCycle = UInt64.max

    init(name: String, clock: VirtualClock, action: @escaping () -> Void) {
        self.name = name
        self.clock = clock
        self.action = action
    }

    /// Runs the action when the clock reaches `cycle`; at once, on the next look, when that has passed. Replaces an
    /// earlier schedule of this event.
    public func schedule(at cycle: UInt64) {
        dueCycle = min(cycle, .max - 1)
        clock.scheduleChanged(self)
    }

    /// Runs the action `cycles` from now.
    public func schedule(after cycles: UInt64) {
        let (sum, overflow) = clock.now.addingReportingOverflow(cycles)
        schedule(at: overflow ? .max - 1 : sum)
    }

    public func cancel() {
        dueCycle = .max
        clock.scheduleChanged(self)
    }
}

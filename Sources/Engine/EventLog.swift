import ControlProtocol

/// The latest events, oldest first.
struct EventLog {
    static let capacity = 4096
    private(set) var events: [Event] = []
    private var nextSequence: UInt64 = 1

    mutating func append(
        _ severity: Severity, _ subject: Subject, actor: String, kind: String, message: String, duration: Double?,
        at time: Double
    ) -> Event {
        let event = Event(
            sequence: nextSequence, time: time, severity: severity, subject: subject, actor: actor, kind: kind,
            message: message, duration: duration)
        nextSequence += 1
        if events.count >= Self.capacity { events.removeFirst(Self.capacity / 4) }
        events.append(event)
        return event
    }

    /// At most `limit` of those with a greater sequence, the newest ones, oldest first.
    func after(_ sequence: UInt64, limit: Int) -> [Event] {
        Array(events.drop { $0.sequence <= sequence }.suffix(max(0, min(limit, Self.capacity))))
    }
}

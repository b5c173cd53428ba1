/// One line of the events pane: something happened, to something, by somebody.
public struct Event: Codable, Sendable, Equatable, Identifiable {
    public var id: UInt64 { sequence }
    /// Grows by one; a gap tells a reader that it missed some.
    public var sequence: UInt64
    /// Seconds since 1970-01-01 UTC.
    public var time: Double
    public var severity: Severity
    public var subject: Subject
    /// `root@pts/1`, `guest`, `engine`, `hypervisor`.
    public var actor: String
    /// A stable word for scripts: `plugged`, `unplugged`, `interface-off`, `guest-removed`, `vm-lost`, …
    public var kind: String
    public var message: String
    /// How long it took, seconds.
    public var duration: Double?

    public init(
        sequence: UInt64, time: Double, severity: Severity, subject: Subject, actor: String, kind: String,
        message: String, duration: Double? = nil
    ) {
        self.sequence = sequence
        self.time = time
        self.severity = severity
        self.subject = subject
        self.actor = actor
        self.kind = kind
        self.message = message
        self.duration = duration
    }
}

/// How much an event should trouble an operator.
public enum Severity: String, Codable, Sendable, Equatable {
    case info
    case warning
    case fault
}

/// What became of one member's frames.
public struct NetworkCounters: Sendable, Equatable {
    /// Taken by its guest.
    public var received: UInt64 = 0
    /// From its guest, delivered to somebody.
    public var sent: UInt64 = 0
    /// For its guest, which was too slow, or left with them unread.
    public var overrun: UInt64 = 0
    /// From its guest while nobody was there.
    public var unconnected: UInt64 = 0
    /// From its guest with a source address that is not its own.
    public var spoofed: UInt64 = 0
    /// From its guest to everybody, too many.
    public var storm: UInt64 = 0
    /// From its guest, ill-formed blocks and datagrams.
    public var malformed: UInt64 = 0

    public var dropped: UInt64 { overrun &+ unconnected &+ spoofed &+ storm &+ malformed }

    /// Reasons with their numbers, such as `3 spoofed`; empty when nothing was dropped.
    public var dropText: String {
        [
            (overrun, "overrun"), (unconnected, "unconnected"), (spoofed, "spoofed"), (storm, "storm"),
            (malformed, "malformed"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}

/// One asynchronous QMP event, such as `STOP` or `DEVICE_DELETED`.
public struct QMPEvent: Sendable, Equatable {
    public let name: String
    public let data: JSONValue

    public init(name: String, data: JSONValue) {
        self.name = name
        self.data = data
    }
}

/// What QEMU says first: its version.
public struct QMPGreeting: Sendable, Equatable {
    /// Such as `7.2.22`.
    public let version: String
    /// The distributor's package text; may be empty.
    public let package: String
}

/// Bounds on what one QMP connection may cost.
public struct QMPLimits: Sendable, Equatable {
    /// Longest line QEMU may send, in bytes.
    public var lineLength: Int
    /// Commands that may wait for an answer at once, counting those whose caller has given up.
    public var outstandingCommands: Int
    /// Events kept while nobody reads them; the oldest are dropped.
    public var bufferedEvents: Int

    public init(lineLength: Int = 4 << 20, outstandingCommands: Int = 64, bufferedEvents: Int = 1024) {
        self.lineLength = lineLength
        self.outstandingCommands = outstandingCommands
        self.bufferedEvents = bufferedEvents
    }
}

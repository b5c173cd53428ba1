/// What a watch may do in this guest.
public struct WatchPolicy: Sendable, Equatable {
    /// Names of the devices to take; empty takes all.
    public var only: Set<String>
    /// Whether a device comes back by itself after the network or the engine was lost.
    public var reattaches: Bool

    public init(only: Set<String> = [], reattaches: Bool = true) {
        self.only = only
        self.reattaches = reattaches
    }
}

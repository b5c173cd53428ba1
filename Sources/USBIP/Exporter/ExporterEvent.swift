import NIOCore

/// What happens at an exporter, for the engine; told on any thread, for one device in order.
public enum ExporterEvent: Sendable, Equatable {
    case importerAttached(busID: String, ImporterInfo)
    /// `reason` is for people: who ended it and why.
    case importerDetached(busID: String, reason: String)
    /// Nobody got anything. `peer` is the address.
    case refused(peer: String, reason: String)
    /// Smoothed round-trip time of the importer's socket, after `sampleRoundTrips`.
    case roundTrip(busID: String, Duration)
}

/// Who holds a device.
public struct ImporterInfo: Sendable, Equatable {
    /// `192.0.2.7:51234`, or the path of a UNIX listener.
    public var peer: String
    /// Seconds since 1970.
    public var since: Double
    /// The listener's address as configured.
    public var listener: String

    public init(peer: String, since: Double, listener: String) {
        self.peer = peer
        self.since = since
        self.listener = listener
    }
}

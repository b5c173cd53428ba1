/// How a device can be had over USB/IP, and who has it.
public struct ExportSnapshot: Codable, Sendable, Equatable {
    /// The name USB/IP clients know it by, such as `1-3`; the same for ever.
    public var busID: String
    /// Where it can be imported, and by whom.
    public var listeners: [ListenerSnapshot]
    /// What to type in a guest that has no watcher and no agent; empty when nothing listens on TCP.
    public var attachLine: String
    /// Who holds it now.
    public var importer: ImporterSnapshot?

    public init(
        busID: String, listeners: [ListenerSnapshot] = [], attachLine: String = "", importer: ImporterSnapshot? = nil
    ) {
        self.busID = busID
        self.listeners = listeners
        self.attachLine = attachLine
        self.importer = importer
    }
}

/// One address of the USB/IP exporter.
public struct ListenerSnapshot: Codable, Sendable, Equatable {
    /// `127.0.0.1:3240` or `unix:/path`, as bound.
    public var address: String
    /// Networks that may connect, such as `127.0.0.0/8`; without meaning for a UNIX socket.
    public var allow: [String]
    /// Whether clients need a certificate.
    public var tls: Bool
    /// Why nothing listens there; nil when it does.
    public var trouble: String?

    public init(address: String, allow: [String] = [], tls: Bool = false, trouble: String? = nil) {
        self.address = address
        self.allow = allow
        self.tls = tls
        self.trouble = trouble
    }
}

/// A USB/IP client that holds a device.
public struct ImporterSnapshot: Codable, Sendable, Equatable {
    /// Its address, such as `10.0.0.5:41234`.
    public var peer: String
    /// Since when: seconds since 1970-01-01 UTC.
    public var since: Double
    /// Smoothed round-trip time of its connection, seconds; nil where there is none to measure (UNIX sockets).
    public var roundTrip: Double?
    /// The guest it was attached for; nil when somebody attached it by hand.
    public var guest: String?

    public init(peer: String, since: Double, roundTrip: Double? = nil, guest: String? = nil) {
        self.peer = peer
        self.since = since
        self.roundTrip = roundTrip
        self.guest = guest
    }
}

/// The USB/IP exporter.
public struct ExporterSnapshot: Codable, Sendable, Equatable {
    public var listeners: [ListenerSnapshot]
    public var connections: Int
    public var maximumConnections: Int
    public var imports: Int
    public var maximumImports: Int
    /// Connections and imports refused since the engine started.
    public var refusals: UInt64
    /// Guests that wait to be told what to attach.
    public var watchers: [WatcherSnapshot]

    public init(
        listeners: [ListenerSnapshot] = [], connections: Int = 0, maximumConnections: Int = 0, imports: Int = 0,
        maximumImports: Int = 0, refusals: UInt64 = 0, watchers: [WatcherSnapshot] = []
    ) {
        self.listeners = listeners
        self.connections = connections
        self.maximumConnections = maximumConnections
        self.imports = imports
        self.maximumImports = maximumImports
        self.refusals = refusals
        self.watchers = watchers
    }
}

/// A guest in which `2virt-guest watch` runs.
public struct WatcherSnapshot: Codable, Sendable, Equatable {
    /// The name it gave itself.
    public var guest: String
    public var peer: String
    /// Seconds since 1970-01-01 UTC.
    public var since: Double

    public init(guest: String, peer: String, since: Double) {
        self.guest = guest
        self.peer = peer
        self.since = since
    }
}

/// How a guest can be made to attach a USB/IP device.
public enum AttachWay: String, Codable, Sendable, Equatable, CaseIterable {
    /// `2virt-guest watch` runs in it.
    case watch
    /// The QEMU guest agent runs in it.
    case agent
}

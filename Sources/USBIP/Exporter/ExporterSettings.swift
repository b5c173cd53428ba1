import NIOCore
import USBIPCodec

/// What an exporter listens on and how much it takes.
public struct ExporterSettings: Sendable, Equatable {
    public var listeners: [ExporterListener]
    public var limits: ExporterLimits

    public init(listeners: [ExporterListener], limits: ExporterLimits = ExporterLimits()) {
        self.listeners = listeners
        self.limits = limits
    }
}

/// One address that importers connect to.
public struct ExporterListener: Sendable, Equatable {
    public var address: ListenAddress
    /// Networks whose peers may connect; empty: loopback only. A UNIX socket is guarded by its file mode, 0600, instead.
    public var allow: [CIDR]
    public var tls: ExporterTLS?

    public init(address: ListenAddress, allow: [CIDR] = [], tls: ExporterTLS? = nil) {
        self.address = address
        self.allow = allow
        self.tls = tls
    }
}

/// TLS with client certificates; paths of PEM files.
public struct ExporterTLS: Sendable, Equatable {
    /// Our certificate, followed by its chain.
    public var certificateFile: String
    public var keyFile: String
    /// Authorities that sign importers' certificates; an importer without one of theirs is turned away.
    public var clientAuthorityFile: String

    public init(certificateFile: String, keyFile: String, clientAuthorityFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.clientAuthorityFile = clientAuthorityFile
    }
}

/// Bounds of an exporter.
public struct ExporterLimits: Sendable, Equatable {
    /// Open connections over all listeners, importers included.
    public var maximumConnections: Int
    public var maximumImports: Int
    /// How long a connection may take to say what it wants.
    public var operationTimeLimit: TimeAmount
    /// How long an importer may hold a device without its first request.
    public var firstRequestTimeLimit: TimeAmount
    /// After which a peer that acknowledges nothing is gone (TCP_USER_TIMEOUT and keepalive).
    public var peerTimeLimit: TimeAmount
    public var session: SessionLimits

    public init(
        maximumConnections: Int = 512, maximumImports: Int = 256, operationTimeLimit: TimeAmount = .seconds(10),
        firstRequestTimeLimit: TimeAmount = .seconds(30), peerTimeLimit: TimeAmount = .seconds(10),
        session: SessionLimits = SessionLimits()
    ) {
        self.maximumConnections = maximumConnections
        self.maximumImports = maximumImports
        self.operationTimeLimit = operationTimeLimit
        self.firstRequestTimeLimit = firstRequestTimeLimit
        self.peerTimeLimit = peerTimeLimit
        self.session = session
    }
}

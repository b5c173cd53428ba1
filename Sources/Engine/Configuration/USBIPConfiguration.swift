import USBIP

/// `[usbip]`: where devices can be imported, and by whom.
public struct USBIPConfiguration: Sendable, Equatable {
    /// One address, `listen`'s and `[[usbip.listener]]`'s alike.
    public struct Listener: Sendable, Equatable {
        public var address: ListenAddress
        /// Networks that may connect; without meaning for a UNIX socket.
        public var allow: [CIDR]
        public var tls: TLS?

        public init(address: ListenAddress, allow: [CIDR] = CIDR.loopback, tls: TLS? = nil) {
            self.address = address
            self.allow = allow
            self.tls = tls
        }
    }

    /// PEM files: who we are, and who signs the certificates of clients.
    public struct TLS: Sendable, Equatable {
        public var certificate: String
        public var key: String
        public var ca: String

        public init(certificate: String, key: String, ca: String) {
            self.certificate = certificate
            self.key = key
            self.ca = ca
        }
    }

    public var listeners: [Listener] = []
    /// Connections at once, of all listeners.
    public var connections = 256
    /// Devices held at once.
    public var imports = 64
    /// Seconds after which an importer that acknowledges nothing, or takes nothing of what it asked for, is gone. A VM
    /// that is paused for longer loses its device, and gets it again when its watcher attaches anew.
    public var peerTimeout = 10
    /// Where a guest finds us: host, or host:port; the default is QEMU's user networking.
    public var guestAddress = GuestAddress(host: "10.0.2.2")

    public init(listeners: [Listener] = []) {
        self.listeners = listeners
    }
}

/// What a device says of its own export: `usbip = { export = true, allow = [...] }`.
public struct DeviceExportConfiguration: Sendable, Equatable {
    public var isExported = true
    /// Networks that may import it, out of those that the listener lets in; nil: all of them.
    public var allow: [CIDR]?

    public init(isExported: Bool = true, allow: [CIDR]? = nil) {
        self.isExported = isExported
        self.allow = allow
    }
}

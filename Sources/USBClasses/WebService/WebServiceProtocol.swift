/// Numbers of the Web Service interface, shared by device, guest client and decoders.
public enum WebServiceProtocol {
    /// bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol.
    public static let interfaceClass: UInt8 = 0xFF
    public static let interfaceSubClass: UInt8 = 0x32
    public static let interfaceProtocol: UInt8 = 0x56
    /// Protocol version in HELLO, 1.0.
    public static let version: UInt16 = 0x0100
    /// Largest OUT transfer that a client is asked to send, in bytes.
    public static let suggestedTransferSize: UInt32 = 65536

    /// bRequest of vendor requests to the interface.
    public enum Request: UInt8, Sendable {
        /// IN, eight bytes: version, flags, suggested OUT transfer size.
        case hello = 0x00
        /// OUT: ends any session, forgets buffered bytes, starts a new session.
        case open = 0x01
        /// OUT: ends the session.
        case close = 0x02
        /// OUT: the guest wants to be rid of the device (wValue 0) or of this interface (wValue 1).
        case release = 0x03
        /// IN: the services as `(description NUL path NUL)*`, cut at wLength.
        case services = 0x04

        /// Upper-case word for listings.
        public var name: String {
            switch self {
            case .hello: "HELLO"
            case .open: "OPEN"
            case .close: "CLOSE"
            case .release: "RELEASE"
            case .services: "SERVICES"
            }
        }
    }

    /// Flag of HELLO: the interface's own name is a byte service, reached by CONNECT; without it, an HTTP service.
    public static let isByteService: UInt16 = 1
    /// Flag of HELLO: the interface stands for no service of its own, only for those that its directory lists.
    public static let isDirectory: UInt16 = 2

    /// The answer to HELLO, eight bytes little endian.
    public static func hello(flags: UInt16) -> [UInt8] {
        let size = suggestedTransferSize
        return [
            UInt8(truncatingIfNeeded: version), UInt8(truncatingIfNeeded: version >> 8),
            UInt8(truncatingIfNeeded: flags), UInt8(truncatingIfNeeded: flags >> 8),
            UInt8(truncatingIfNeeded: size), UInt8(truncatingIfNeeded: size >> 8),
            UInt8(truncatingIfNeeded: size >> 16), UInt8(truncatingIfNeeded: size >> 24),
        ]
    }

    /// The interrupt message that tells of a changed service directory, eight bytes; `serial` grows with each change.
    public static func directoryChanged(serial: UInt32) -> [UInt8] {
        [
            1, 1, 0, 0, UInt8(truncatingIfNeeded: serial), UInt8(truncatingIfNeeded: serial >> 8),
            UInt8(truncatingIfNeeded: serial >> 16), UInt8(truncatingIfNeeded: serial >> 24),
        ]
    }
}

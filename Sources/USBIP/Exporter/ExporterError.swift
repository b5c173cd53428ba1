/// Why an exporter does not listen; each names the address.
public enum ExporterError: Error, Sendable, Equatable, CustomStringConvertible {
    case alreadyStarted
    /// Somebody listens there.
    case inUse(String)
    /// Something that is no socket is in the way.
    case notASocket(String)
    case cannotListen(String, reason: String)
    /// A certificate or key cannot be used.
    case tls(String, reason: String)

    public var description: String {
        switch self {
        case .alreadyStarted: "USB/IP: the exporter runs already"
        case .inUse(let address): "USB/IP: \(address) is in use; name another address or stop what listens there"
        case .notASocket(let path): "USB/IP: \(path) is not a socket; remove it or name another path"
        case .cannotListen(let address, let reason): "USB/IP: cannot listen on \(address): \(reason)"
        case .tls(let address, let reason): "USB/IP: TLS on \(address): \(reason)"
        }
    }
}

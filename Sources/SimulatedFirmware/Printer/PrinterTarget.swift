/// Where print jobs go: `spool:/folder` or `tcp:HOST:9100`.
public enum PrinterTarget: Sendable, Equatable, Hashable {
    /// One file for each job.
    case spool(folder: String)
    /// A raw port, one connection for each job.
    case tcp(host: String, port: Int)

    /// - Throws: `CatalogueError.badPrinterTarget`.
    public init(parsing text: String) throws(CatalogueError) {
        if text.hasPrefix("spool:/"), !text.utf8.contains(0) {
            self = .spool(folder: String(text.dropFirst(6)))
        } else if text.hasPrefix("tcp:") {
            guard let (host, port) = hostAndPort(text.dropFirst(4)) else {
                throw .badPrinterTarget(text, reason: "it is not HOST:PORT with a port of 1 to 65535")
            }
            self = .tcp(host: host, port: port)
        } else {
            throw .badPrinterTarget(text, reason: "it is neither a spool folder nor a raw port")
        }
    }

    /// As configuration writes it.
    public var text: String {
        switch self {
        case .spool(let folder): "spool:\(folder)"
        case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        }
    }
}

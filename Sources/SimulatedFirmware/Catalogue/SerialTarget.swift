/// Host side of a serial interface: `pty`, `unix:/path`, `tcp:127.0.0.1:7001`.
public enum SerialTarget: Sendable, Equatable, Hashable {
    case pty
    /// A UNIX stream socket that we listen on.
    case unix(path: String)
    /// A TCP port that we listen on; the address is numeric.
    case tcp(host: String, port: Int)

    /// - Throws: `CatalogueError` that names what was found and what is allowed.
    public init(parsing text: String) throws(CatalogueError) {
        if text == "pty" {
            self = .pty
        } else if text.hasPrefix("unix:/") {
            self = .unix(path: try socketPath(text.dropFirst(5)))
        } else if text.hasPrefix("tcp:"), let (host, port) = hostAndPort(text.dropFirst(4)) {
            self = .tcp(host: host, port: port)
        } else {
            throw .unknownSerialTarget(text)
        }
    }

    /// As configuration writes it.
    public var text: String {
        switch self {
        case .pty: "pty"
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        }
    }
}

/// A path that fits into sockaddr_un.
func socketPath(_ path: Substring) throws(CatalogueError) -> String {
    let limit = 107
    guard path.utf8.count <= limit else { throw .pathTooLong(String(path), limit: limit) }
    return String(path)
}

/// Splits `host:port` or `[address]:port`; nil when either part is missing or wrong.
func hostAndPort(_ text: Substring) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
        (1...65535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
        host = host.dropFirst().dropLast()
    } else if host.contains(":") {
        return nil
    }
    guard isHost(host) else { return nil }
    return (String(host), port)
}

/// Whether text can be a host name or address: nothing in it that ends a URL's host.
func isHost(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.count <= 255
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
}

import NIOCore

/// Where an exporter listens: `127.0.0.1:3240`, `[::1]:3240`, `unix:/run/usbip.sock`.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A numeric address.
    case tcp(host: String, port: Int)
    case unix(path: String)

    /// nil for what is none of the three forms. The port may be left out; it is then 3240.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard path.hasPrefix("/"), !path.utf8.contains(0), path.utf8.count <= 107 else { return nil }
            self = .unix(path: path)
            return
        }
        let host: Substring
        let port: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            port = text[text.index(after: end)...]
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[colon...]
        } else {
            host = text[...]
            port = ""
        }
        guard (try? SocketAddress(ipAddress: String(host), port: 0)) != nil else { return nil }
        if port.isEmpty {
            self = .tcp(host: String(host), port: Self.defaultPort)
            return
        }
        guard port.first == ":", let number = UInt16(port.dropFirst()) else { return nil }
        self = .tcp(host: String(host), port: Int(number))
    }

    /// IANA: usbip.
    public static let defaultPort = 3240

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

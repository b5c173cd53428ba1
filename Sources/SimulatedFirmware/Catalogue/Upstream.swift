/// One server that answers requests of a Web Service interface: `host:port`, `unix:/path`, `http://host:port/base`.
public struct Upstream: Sendable, Equatable, Hashable {
    /// Where it listens.
    public enum Endpoint: Sendable, Equatable, Hashable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    public let endpoint: Endpoint
    /// Goes before each request's path; empty, or starts with a slash and does not end with one.
    public let basePath: String
    /// As configuration writes it.
    public let text: String

    init(endpoint: Endpoint, basePath: String = "", text: String) {
        self.endpoint = endpoint
        self.basePath = basePath
        self.text = text
    }

    /// - Throws: `CatalogueError.badUpstream` that names what was found and what is allowed.
    public init(parsing text: String) throws(CatalogueError) {
        self.text = text
        if text.hasPrefix("unix:/") {
            endpoint = .unix(path: try socketPath(text.dropFirst(5)))
            basePath = ""
        } else if text.hasPrefix("http://") {
            let rest = text.dropFirst(7)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let authority = rest[..<slash]
            if let (host, port) = hostAndPort(authority) {
                endpoint = .tcp(host: host, port: port)
            } else if isHost(authority), !authority.contains(":") {
                endpoint = .tcp(host: String(authority), port: 80)
            } else {
                throw .badUpstream(text, reason: "'\(authority)' is not HOST[:PORT]")
            }
            var base = rest[slash...]
            while base.hasSuffix("/") { base = base.dropLast() }
            guard base.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !base.contains("?"), !base.contains("#") else {
                throw .badUpstream(text, reason: "'\(base)' is not a path")
            }
            basePath = String(base)
        } else if text.hasPrefix("https:") {
            throw .badUpstream(text, reason: "TLS to upstreams is not supported")
        } else if let (host, port) = hostAndPort(Substring(text)) {
            endpoint = .tcp(host: host, port: port)
            basePath = ""
        } else {
            throw .badUpstream(text, reason: "it is not HOST:PORT with a port of 1 to 65535")
        }
    }
}

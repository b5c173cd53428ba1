/// A server of the host whose protocol is its own business: a guest reaches it by a CONNECT stream to its name.
public struct ByteService: Sendable, Equatable, Hashable {
    public let name: String
    public let endpoint: Upstream.Endpoint
    /// Where it listens, as configuration writes it.
    public let text: String

    /// - Parameter text: `HOST:PORT` or `unix:/path`.
    /// - Throws: `CatalogueError` that names what was found and what is allowed.
    public init(name: String, parsing text: String) throws(CatalogueError) {
        guard isServiceName(name) else { throw .badServiceName(name) }
        self.name = name
        self.text = text
        if text.hasPrefix("unix:/") {
            endpoint = .unix(path: try socketPath(text.dropFirst(5)))
        } else if let (host, port) = hostAndPort(Substring(text)) {
            endpoint = .tcp(host: host, port: port)
        } else {
            throw .badByteService(text)
        }
    }

    /// - Parameter entry: `NAME=HOST:PORT` or `NAME=unix:/path`.
    public init(parsing entry: String) throws(CatalogueError) {
        guard let equals = entry.firstIndex(of: "=") else { throw .badByteService(entry) }
        try self.init(name: String(entry[..<equals]), parsing: String(entry[entry.index(after: equals)...]))
    }
}

/// Whether text can name a service: letters, digits, '.', '-' and '_'.
func isServiceName(_ text: String) -> Bool { isHost(Substring(text)) && !text.contains(":") }

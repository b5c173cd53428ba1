/// A service of the host that devices may be given: where it answers, and where its document is.
public struct ServiceDeclaration: Sendable, Equatable, Hashable {
    /// Where the WSDL or OpenAPI document comes from.
    public enum Document: Sendable, Equatable, Hashable {
        /// Looked for where servers usually have it.
        case discovered
        case http(Upstream, target: String)
        case file(path: String)
    }

    public let name: String
    public let upstream: Upstream
    public let document: Document
    public let description: String?
    /// Servers besides the service's own that its document may import from.
    public let imports: [Upstream]

    /// From configuration text.
    ///
    /// - Parameters:
    ///   - url: `http://HOST[:PORT][/base]`, `HOST:PORT` or `unix:/path`.
    ///   - document: `http://HOST[:PORT]/path[?query]` or `file:/path`; nil: looked for.
    ///   - imports: `http://HOST[:PORT]` of servers besides its own that the document may import from.
    /// - Throws: `CatalogueError` that names what was found and what is allowed.
    public init(
        name: String, url: String, document: String? = nil, description: String? = nil, imports: [String] = []
    ) throws(CatalogueError) {
        guard isServiceName(name) else { throw .badServiceName(name) }
        self.name = name
        upstream = try Upstream(parsing: url)
        self.description = description
        var servers: [Upstream] = []
        for text in imports {
            guard text.hasPrefix("http://"), let server = try? Upstream(parsing: text), server.basePath.isEmpty else {
                throw .badServiceImport(text)
            }
            servers.append(server)
        }
        self.imports = servers
        guard let document else {
            self.document = .discovered
            return
        }
        if document.hasPrefix("file:/") {
            self.document = .file(path: String(document.dropFirst(5)))
            return
        }
        guard document.hasPrefix("http://") else { throw .badServiceDocument(document) }
        let rest = document.dropFirst(7)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let tail = rest[end...]
        guard tail.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !tail.contains("#") else {
            throw .badServiceDocument(document)
        }
        self.document = .http(
            try Upstream(parsing: "http://\(rest[..<end])"), target: tail.hasPrefix("/") ? String(tail) : "/\(tail)")
    }

    init(name: String, upstream: Upstream) {
        self.name = name
        self.upstream = upstream
        document = .discovered
        description = nil
        imports = []
    }

    /// Places to look for a document, in order.
    var candidates: [DocumentPlace] {
        switch document {
        case .http(let upstream, let target): [.http(upstream, target: target)]
        case .file(let path): [.file(path: path)]
        case .discovered:
            [
                .http(upstream, target: upstream.basePath.isEmpty ? "/?wsdl" : upstream.basePath + "?wsdl"),
                .http(upstream, target: upstream.basePath + "/openapi.json"),
                .http(upstream, target: upstream.basePath + "/openapi.yaml"),
            ]
        }
    }
}

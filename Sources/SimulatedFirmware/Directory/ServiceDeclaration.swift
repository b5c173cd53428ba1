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

    /// From configuration text.
    ///
    /// - Parameters:
    ///   - url: `http://HOST[:PORT][/base]`, `HOST:PORT` or `unix:/path`.
    ///   - document: `http://HOST[:PORT]/path[?query]` or `file:/path`; nil: looked for.
    /// - Throws: `CatalogueError` that names what was found and what is allowed.
    public init(
        name: String, url: String, document: String? = nil, description: String? = nil
    ) throws(CatalogueError) {
        guard isServiceName(name) else { throw .badServiceName(name) }
        self.name = name
        upstream = try Upstream(parsing: url)
        self.description = description
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
    }

    /// Places to look for a document, in order.
    var candidates: [(upstream: Upstream, target: String)] {
        switch document {
        case .http(let upstream, let target): [(upstream, target)]
        case .file: []
        case .discovered:
            [
                (upstream, upstream.basePath.isEmpty ? "/?wsdl" : upstream.basePath + "?wsdl"),
                (upstream, upstream.basePath + "/openapi.json"),
                (upstream, upstream.basePath + "/openapi.yaml"),
            ]
        }
    }
}

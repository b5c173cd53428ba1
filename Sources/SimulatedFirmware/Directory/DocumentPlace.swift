import Foundation

/// Where a document lies that the engine may read.
enum DocumentPlace: Sendable, Equatable {
    case http(Upstream, target: String)
    case file(path: String)

    /// The URL that imports of the document are relative to; a UNIX socket has the name that its requests carry.
    var location: String {
        switch self {
        case .http(let upstream, let target): "http://\(upstream.authority)\(target)"
        case .file(let path): URL(filePath: path).absoluteString
        }
    }

    /// The place of an imported document.
    ///
    /// Documents come from servers that a guest's owner may have a hand in, and the engine reaches what a guest must not:
    /// an import leads to the document's own server, the service's, or one that the operator named, and from a file to
    /// files beside and below it.
    ///
    /// - Throws: `DocumentRefusal` with the words for a person.
    func imported(
        _ location: String, by declaration: ServiceDeclaration
    ) throws(DocumentRefusal) -> DocumentPlace {
        guard let url = URL(string: location), url.user == nil, url.password == nil else {
            throw DocumentRefusal(description: "it is no URL of a document")
        }
        switch url.scheme?.lowercased() {
        case "file":
            guard case .file(let root) = self else { break }
            let path = url.path(percentEncoded: false)
            let folder = URL(filePath: root).standardized.deletingLastPathComponent().path(percentEncoded: false)
            let isBelow = path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
            guard isBelow, !path.split(separator: "/").contains(".."), !path.contains("\0"),
                url.host(percentEncoded: false).map(\.isEmpty) ?? true
            else { throw DocumentRefusal(description: "it is not in the folder of \(root)") }
            return .file(path: path)
        case "http":
            guard let host = url.host(percentEncoded: false) else { break }
            let plain = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            let authority = Upstream(endpoint: .tcp(host: plain, port: url.port ?? 80), text: "").authority
            var origins = [declaration.upstream] + declaration.imports
            if case .http(let upstream, _) = self { origins.insert(upstream, at: 0) }
            guard let origin = origins.first(where: { $0.authority == authority }) else { break }
            let path = url.path(percentEncoded: true)
            let query = url.query(percentEncoded: true).map { "?\($0)" } ?? ""
            return .http(origin, target: (path.isEmpty ? "/" : path) + query)
        default: break
        }
        throw DocumentRefusal(
            description: "it is not on the service's own server; the service's `imports` can allow its server")
    }
}

/// Why an import is not followed.
struct DocumentRefusal: Error, CustomStringConvertible {
    let description: String
}

extension Upstream {
    /// Host and port as a URL has them.
    fileprivate var authority: String {
        switch endpoint {
        case .tcp(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)".lowercased()
        case .unix: "localhost:80"
        }
    }
}

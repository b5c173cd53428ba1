import NIOHPACK
import NIOHTTP1

/// A guest's request as the proxy needs it, out of an HTTP/2 header block (RFC 9113 section 8.3.1).
struct ProxyRequest {
    /// Fields that belong to one connection only (RFC 9110 section 7.6.1).
    static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]
    /// Fields that the client library or the proxy sets itself.
    private static let ownFields: Set<String> = ["host", "content-length", "expect"]

    let method: HTTPMethod
    /// Service name.
    let authority: String
    /// Path and query, starting with a slash.
    let target: String
    let headers: HTTPHeaders
    let contentLength: Int64?
    let expectsContinue: Bool

    /// Why a request cannot be proxied.
    enum Refusal: Error, Equatable {
        case malformed(String)
    }

    init(_ block: HPACKHeaders) throws(Refusal) {
        guard let method = block.first(name: ":method") else { throw .malformed("no :method") }
        self.method = HTTPMethod(rawValue: method)
        guard let target = block.first(name: ":path"), target.hasPrefix("/"),
            target.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
        else { throw .malformed("the path must start with '/' and consist of visible ASCII") }
        self.target = target
        guard let authority = block.first(name: ":authority") ?? block.first(name: "host") else {
            throw .malformed("no :authority; it names the service")
        }
        self.authority = authority
        if let length = block.first(name: "content-length") {
            guard let length = Int64(length), length >= 0 else { throw .malformed("content-length is no number") }
            contentLength = length
        } else {
            contentLength = nil
        }
        expectsContinue = block.first(name: "expect")?.lowercased() == "100-continue"
        var headers = HTTPHeaders()
        for (name, value, _) in block
        where !name.hasPrefix(":") && !Self.hopByHop.contains(name) && !Self.ownFields.contains(name) {
            headers.add(name: name, value: value)
        }
        self.headers = headers
    }

    /// May be sent again when its fate is unknown (RFC 9110 section 9.2.2).
    var isIdempotent: Bool {
        switch method {
        case .GET, .HEAD, .PUT, .DELETE, .OPTIONS, .TRACE: true
        default: false
        }
    }

    /// An upstream's response head as an HTTP/2 header block, without the fields of its connection.
    static func response(_ head: HTTPResponseHead) -> HPACKHeaders {
        var block = HPACKHeaders()
        block.add(name: ":status", value: String(head.status.code))
        let named = Set(head.headers[canonicalForm: "connection"].map { $0.lowercased() })
        for (name, value) in head.headers {
            let name = name.lowercased()
            guard !hopByHop.contains(name), !named.contains(name), isToken(name) else { continue }
            block.add(name: name, value: value)
        }
        return block
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }
}

import NIOHPACK
import NIOHTTP1

extension HTTPRequestHead {
    /// HTTP/1.1 or a later 1.x: chunked bodies and interim answers are understood.
    var isHTTP11: Bool { version.major > 1 || (version.major == 1 && version.minor >= 1) }
}

/// HTTP/1.1 heads to HTTP/2 field blocks and back; fields about one connection stay on it (RFC 9110 7.6.1, RFC 9113 8.2.2).
enum HeaderTranslation {
    /// Why a request cannot be carried; the status is for the local client.
    struct Refusal: Error, Equatable {
        var status: HTTPResponseStatus
        var reason: String
    }

    private static let connectionFields: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings", "te",
    ]

    static func request(_ head: HTTPRequestHead, authority: String) throws(Refusal) -> HPACKHeaders {
        guard head.method != .CONNECT else {
            throw Refusal(status: .notImplemented, reason: "CONNECT is not offered by this proxy")
        }
        var block = HPACKHeaders()
        block.add(name: ":method", value: head.method.rawValue)
        block.add(name: ":scheme", value: "http")
        block.add(name: ":authority", value: authority)
        block.add(name: ":path", value: try path(head))
        for field in endToEnd(head.headers) {
            switch field.name {
            // Its meaning ends here: the authority of the pipe is a service name. The host stays known to the service.
            case "host": block.add(name: "x-forwarded-host", value: field.value)
            // This proxy asks for the body itself.
            case "expect": break
            default: block.add(name: field.name, value: field.value)
            }
        }
        if head.headers[canonicalForm: "te"].contains(where: { $0.lowercased() == "trailers" }) {
            block.add(name: "te", value: "trailers")
        }
        return block
    }

    /// Whom a request is for: the host of an absolute-form target (RFC 9112 3.2.2), else the Host field.
    static func host(of head: HTTPRequestHead) -> String? {
        if let scheme = head.uri.firstRange(of: "://"), !head.uri.hasPrefix("/") {
            return String(head.uri[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" })
        }
        return head.headers.first(name: "host")
    }

    /// The path of an origin-form or absolute-form target (RFC 9112 3.2), or "*".
    private static func path(_ head: HTTPRequestHead) throws(Refusal) -> String {
        let target = head.uri
        if target.hasPrefix("/") || (target == "*" && head.method == .OPTIONS) { return target }
        guard let scheme = target.firstRange(of: "://") else {
            throw Refusal(status: .badRequest, reason: "the request target must begin with '/'")
        }
        let rest = target[scheme.upperBound...]
        guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
        return rest[start] == "/" ? String(rest[start...]) : "/" + rest[start...]
    }

    /// Lower-case fields that may leave this connection.
    private static func endToEnd(_ headers: HTTPHeaders) -> [(name: String, value: String)] {
        let nominated = Set(headers[canonicalForm: "connection"].map { $0.lowercased() })
        return headers.lazy.map { (name: $0.name.lowercased(), value: $0.value) }
            .filter { !connectionFields.contains($0.name) && !nominated.contains($0.name) && !$0.name.hasPrefix(":") }
    }

    static func requestTrailers(_ trailers: HTTPHeaders) -> HPACKHeaders {
        var block = HPACKHeaders()
        for field in endToEnd(trailers) { block.add(name: field.name, value: field.value) }
        return block
    }

    /// RFC 9113 8.3.2: exactly one three-digit :status.
    static func status(_ block: HPACKHeaders) -> Int? {
        let values = block[":status"]
        guard values.count == 1, let code = Int(values[0]), (100...999).contains(code) else { return nil }
        return code
    }

    static func responseFields(_ block: HPACKHeaders) -> HTTPHeaders {
        var headers = HTTPHeaders()
        for (name, value, _) in block where !name.hasPrefix(":") && !connectionFields.contains(name) {
            headers.add(name: name, value: value)
        }
        return headers
    }

    /// The HTTP/1 head of a final answer, with framing that fits the request, and whether the connection may live on.
    static func response(
        status: Int, block: HPACKHeaders, endStream: Bool, request: HTTPRequestHead, keepAlive: Bool
    ) -> (head: HTTPResponseHead, keepAlive: Bool) {
        var headers = responseFields(block)
        var keepAlive = keepAlive
        let hasNoBody = request.method == .HEAD || status == 204 || status == 304
        if !hasNoBody && !headers.contains(name: "content-length") {
            if endStream {
                headers.add(name: "content-length", value: "0")
            } else if request.isHTTP11 {
                headers.add(name: "transfer-encoding", value: "chunked")
            } else {
                keepAlive = false  // Only the end of the connection can end this body.
            }
        }
        if !keepAlive {
            headers.add(name: "connection", value: "close")
        } else if !request.isHTTP11 {
            headers.add(name: "connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(
            version: !request.isHTTP11 ? .http1_0 : .http1_1, status: .init(statusCode: status),
            headers: headers)
        return (head, keepAlive)
    }
}

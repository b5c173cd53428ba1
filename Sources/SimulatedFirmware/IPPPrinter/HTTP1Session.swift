import DequeModule
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import USBClasses

/// HTTP/1.1 over a pipe that cannot be closed (RFC 9112): one request after the other, each by a `ProxyStream` of its own.
///
/// The guest never sees a connection end: an answer that cannot be completed is the function's to tell, by a halt.
/// Confined to its channel's event loop.
final class HTTP1Session: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTPServerResponsePart

    /// Why a session cannot go on.
    enum End: Equatable {
        /// The guest said that this was its last request; what follows is a new session.
        case lastRequest
        /// What the guest sent is no HTTP; where its next request begins is unknown.
        case unreadable(String)
        /// The answer broke off; `isInStep` when the request was all read, so that the next one follows.
        case broken(isInStep: Bool)
    }

    private struct Exchange {
        let request: HTTPRequestHead
        let isLast: Bool
        /// What has come of an IPP message whose printer is not known yet; nil when that is settled.
        var start: [UInt8]?
        /// Bytes of it that are worth another look.
        var nextLook = 0
        /// The server's path for it.
        var path = ""
        var stream: ProxyStream?
        /// The request's body goes to the stream.
        var hasBody = false
        var isRequested = false
        /// HTTP status, once the answer has begun.
        var status: Int?
        var isAnswerEnded = false
        /// The answer is on its way, whole.
        var isAnswered = false
        var ipp = IPPExchange()

        /// Whether the answer has no body, whatever its header says (RFC 9112 section 6.3).
        var isBodiless: Bool { request.method == .HEAD || status == 204 || status == 304 }
    }

    /// Bytes of a message's operation attributes; honest ones have a thousand.
    private static let attributesLimit = 64 * 1024

    private let proxy: UpstreamProxy
    private let target: IPPPrinterTarget
    private let note: (String) -> Void
    private let ended: (End) -> Void
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    /// Parts of requests that came before their turn: of one read at most.
    private var early: Deque<HTTPServerRequestPart> = []
    private var isTaking = false
    private var isReadHeld = false
    private var isEnded = false

    /// - Parameters:
    ///   - note: tells the operator.
    ///   - ended: called once, never from within a handler; the channel is the caller's to close.
    init(
        proxy: UpstreamProxy, target: IPPPrinterTarget, note: @escaping (String) -> Void,
        ended: @escaping (End) -> Void
    ) {
        self.proxy = proxy
        self.target = target
        self.note = note
        self.ended = ended
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        isEnded = true
        early.removeAll()
        context.fireChannelInactive()
    }

    // MARK: From the guest

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnded else { return }
        early.append(unwrapInboundIn(data))
        take()
    }

    /// Not reading while an answer is due is what keeps a guest from sending ahead without end.
    func read(context: ChannelHandlerContext) {
        if exchange?.isRequested == true {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    private func take() {
        guard !isTaking else { return }
        isTaking = true
        defer { isTaking = false }
        while !isEnded, exchange?.isRequested != true, let part = early.popFirst() {
            switch part {
            case .head(let head): begin(head)
            case .body(let bytes): body(bytes)
            case .end: requested()
            }
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        // The decoder stops after these.
        let isLast = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "upgrade")
        exchange = Exchange(request: head, isLast: isLast)
        guard head.version == .http1_1 else {
            answer(505, "HTTP/1.1 is spoken over USB")
            return
        }
        guard head.method != .CONNECT, let path = target.path(for: head.uri) else {
            answer(404, "'\(head.uri.prefix(80))' was not given to this device")
            return
        }
        let hasBody =
            head.headers.contains(name: "transfer-encoding")
            || head.headers.first(name: "content-length").map { Int64($0) != 0 } ?? false
        if hasBody, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            // Always, so that a body follows whatever becomes of the request.
            write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
            context?.flush()
        }
        if target.path != nil, head.method == .POST, hasBody {
            guard head.headers.first(name: "content-type")?.lowercased().hasPrefix("application/ipp") == true,
                !head.headers.contains(name: "content-encoding")
            else {
                answer(415, "a printer takes application/ipp, without a coding")
                return
            }
            exchange?.path = path
            exchange?.start = []
            return
        }
        pass(head, path: path, hasBody: hasBody)
    }

    /// Hands the request to a stream.
    private func pass(_ head: HTTPRequestHead, path: String, hasBody: Bool) {
        let stream = ProxyStream(proxy: proxy)
        do {
            try context?.pipeline.syncOperations.addHandler(stream, position: .after(self))
        } catch {
            answer(500, "\(error)")
            return
        }
        exchange?.stream = stream
        exchange?.hasBody = hasBody
        let headers = HTTP2Frame.FramePayload.Headers(headers: Self.block(head, path: path), endStream: !hasBody)
        context?.fireChannelRead(wrapInboundOut(.headers(headers)))
    }

    /// Collects an IPP message until it is known which printer it is for.
    ///
    /// Looked at when it has grown by a quarter, so that a guest that sends single bytes costs no more than others.
    private func collect(_ bytes: ByteBuffer, isAll: Bool = false) {
        guard let exchange, var start = exchange.start else { return }
        self.exchange?.start = []
        start += bytes.readableBytesView
        guard isAll || start.count >= exchange.nextLook else {
            self.exchange?.start = start
            return
        }
        self.exchange?.nextLook = start.count + start.count / 4
        switch IPPMessage.retargeted(start, by: target.uri) {
        case .incomplete where isAll:
            self.exchange?.start = nil
            answer(400, "the message ends within its operation attributes")
        case .incomplete where start.count <= Self.attributesLimit:
            self.exchange?.start = start
        case .incomplete:
            self.exchange?.start = nil
            answer(400, "the operation attributes have more than \(Self.attributesLimit) bytes")
        case .refused(let reason):
            self.exchange?.start = nil
            answer(403, reason)
        case .done(let head, let length):
            self.exchange?.start = nil
            var request = exchange.request
            if let given = request.headers.first(name: "content-length").flatMap({ Int($0) }) {
                let (total, overflow) = given.addingReportingOverflow(head.count - length)
                guard !overflow else { return answer(400, "content-length is too large") }
                request.headers.replaceOrAdd(name: "content-length", value: "\(total)")
            }
            pass(request, path: exchange.path, hasBody: true)
            body(ByteBuffer(bytes: head + start[length...]))
        }
    }

    /// A request as a stream has it: without what is this connection's own (RFC 9110 section 7.6.1).
    private static func block(_ head: HTTPRequestHead, path: String) -> HPACKHeaders {
        var block: HPACKHeaders = [":method": head.method.rawValue, ":path": path, ":authority": IPPConnection.service]
        let own = Set(head.headers[canonicalForm: "connection"].map { $0.lowercased() })
        for (name, value) in head.headers {
            let name = name.lowercased()
            if !own.contains(name), name != "expect", name != "host", !name.hasPrefix(":") {
                block.add(name: name, value: value)
            }
        }
        return block
    }

    private func body(_ bytes: ByteBuffer) {
        if exchange?.start != nil { return collect(bytes) }
        guard let exchange, exchange.hasBody, !exchange.isAnswerEnded else { return }
        self.exchange?.ipp.requested(bytes)
        context?.fireChannelRead(wrapInboundOut(.data(.init(data: .byteBuffer(bytes)))))
    }

    private func requested() {
        if exchange?.start != nil { collect(ByteBuffer(), isAll: true) }
        guard let exchange else { return }
        self.exchange?.isRequested = true
        if exchange.hasBody, !exchange.isAnswerEnded {
            context?.fireChannelRead(wrapInboundOut(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))))
        }
        if self.exchange?.isAnswered == true { next() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isEnded else { return }
        let reason = Self.text(error)
        if exchange == nil {
            exchange = Exchange(request: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"), isLast: true)
        }
        if exchange?.status == nil {
            writeAnswer(400, reason)
            write(.end(nil))
            context.flush()
        }
        end(.unreadable(reason))
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case HTTPParserError.headerOverflow: "the header is too large"
        case is HTTPParserError: "what the guest sent is not HTTP/1.1 (\(error))"
        default: "\(error)"
        }
    }

    // MARK: To the guest

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        promise?.succeed(())
        guard !isEnded, let exchange, !exchange.isAnswerEnded else { return }
        switch unwrapOutboundIn(data) {
        case .headers(let headers):
            begin(headers.headers)
            if headers.endStream { endAnswer() }
        case .data(let frame):
            guard exchange.status != nil, case .byteBuffer(let bytes) = frame.data else { return }
            if bytes.readableBytes > 0, !exchange.isBodiless {
                self.exchange?.ipp.answered(bytes)
                write(.body(.byteBuffer(bytes)))
            }
            if frame.endStream { endAnswer() }
        case .rstStream:
            end(.broken(isInStep: exchange.isRequested))
        default:
            break
        }
    }

    private func begin(_ block: HPACKHeaders) {
        guard let status = block.first(name: ":status").flatMap({ Int($0) }), status >= 200 else {
            return
        }
        self.exchange?.status = status
        var headers = HTTPHeaders()
        for (name, value, _) in block where !name.hasPrefix(":") { headers.add(name: name, value: value) }
        if status == 204 { headers.remove(name: "content-length") }
        if self.exchange?.isBodiless == false, !headers.contains(name: "content-length") {
            headers.add(name: "transfer-encoding", value: "chunked")
        }
        write(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)))
    }

    /// An answer out of ourselves.
    private func answer(_ status: Int, _ text: String) {
        writeAnswer(status, text)
        context?.flush()
        endAnswer()
    }

    private func writeAnswer(_ status: Int, _ text: String) {
        let bytes = ByteBuffer(string: "\(status) \(text)\n")
        let headers: HTTPHeaders = [
            "content-type": "text/plain; charset=utf-8", "content-length": "\(bytes.readableBytes)",
        ]
        exchange?.status = status
        write(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)))
        if exchange?.isBodiless == false { write(.body(.byteBuffer(bytes))) }
    }

    private func write(_ part: HTTPServerResponsePart) { context?.write(wrapOutboundOut(part), promise: nil) }

    /// The stream has said all; it is still at it, so the rest waits for the loop.
    private func endAnswer() {
        exchange?.isAnswerEnded = true
        proxy.eventLoop.assumeIsolated().execute { [weak self] in self?.complete() }
    }

    private func complete() {
        guard !isEnded, let exchange, exchange.isAnswerEnded, !exchange.isAnswered, let context else { return }
        self.exchange?.isAnswered = true
        if let stream = exchange.stream { context.pipeline.syncOperations.removeHandler(stream, promise: nil) }
        self.exchange?.stream = nil
        write(.end(nil))
        context.flush()
        if exchange.request.method == .POST,
            let text = exchange.ipp.text(status: exchange.status ?? 0, printer: target.upstream.text)
        {
            note(text)
        }
        if exchange.isRequested {
            next()
        } else {
            // What is left of the body is nobody's; the stream may have held it back.
            context.read()
        }
    }

    private func next() {
        guard exchange?.isLast == false else { return end(.lastRequest) }
        exchange = nil
        take()
        if exchange?.isRequested != true {
            isReadHeld = false
            context?.read()
        }
    }

    private func end(_ how: End) {
        guard !isEnded else { return }
        isEnded = true
        early.removeAll()
        proxy.eventLoop.assumeIsolated().execute { [ended] in ended(how) }
    }
}

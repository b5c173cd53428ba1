import Glibc
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// One HTTP/1 connection of a local program: each request becomes one stream to the device.
///
/// The client is read only while the stream takes more; the stream is read only while the client takes more.
final class RequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The request being answered.
    private struct Exchange {
        var number: Int
        var head: HTTPRequestHead
        var keepAlive: Bool
        var stream: Channel?
        var handler: StreamHandler?
        /// Parts that arrived before the stream was open: at most what one socket read held.
        var held: [HTTPServerRequestPart] = []
        var isRequestEnded = false
        var isResponseStarted = false
    }

    private let link: DeviceLink
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    private var exchanges = 0
    private var isReadHeld = false
    private var isInputClosed = false

    init(link: DeviceLink) { self.link = link }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: from the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch part {
        case .head(let head): begin(head)
        case .body, .end:
            // Without an exchange it has been answered already, and the rest of the body is thrown away.
            guard exchange != nil else { return }
            if let stream = exchange?.stream { forward(part, to: stream) } else { exchange?.held.append(part) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.stream?.flush()
        context.fireChannelReadComplete()
    }

    private func begin(_ head: HTTPRequestHead) {
        exchanges += 1
        let number = exchanges
        exchange = Exchange(number: number, head: head, keepAlive: head.isKeepAlive)
        do {
            // Refused before anything waits for the device.
            _ = try HeaderTranslation.request(
                head, authority: link.authority(forHost: HeaderTranslation.host(of: head)))
        } catch {
            answer(error.status, error.reason)
            return
        }
        let handler = StreamHandler(owner: self, exchange: number)
        exchange?.handler = handler
        let bound = NIOLoopBound((self, handler), eventLoop: link.eventLoop)
        link.makeStream { channel in
            channel.setOption(.autoRead, value: false).flatMapThrowing {
                try channel.pipeline.syncOperations.addHandler(bound.value.1)
            }
        }.whenComplete { bound.value.0.opened($0, number: number) }
    }

    private func opened(_ result: Result<Channel, any Error>, number: Int) {
        guard let current = exchange, current.number == number else {
            // The client left meanwhile.
            if case .success(let stream) = result { stream.close(promise: nil) }
            return
        }
        switch result {
        case .failure(let error):
            switch error {
            case DeviceLink.Failure.away(let reason): answer(.serviceUnavailable, reason)
            case DeviceLink.Failure.lost(let reason): answer(.badGateway, reason)
            default: answer(.badGateway, "no stream to the device: \(error)")
            }
        case .success(let stream):
            exchange?.stream = stream
            start(current.head, on: stream)
            let held = current.held
            exchange?.held = []
            for part in held where exchange?.number == number { forward(part, to: stream) }
            stream.flush()
            requestMayContinue()
        }
    }

    private func start(_ head: HTTPRequestHead, on stream: Channel) {
        let block: HPACKHeaders
        do {
            block = try HeaderTranslation.request(
                head, authority: link.authority(forHost: HeaderTranslation.host(of: head)))
        } catch {
            answer(error.status, error.reason)
            return
        }
        // RFC 9112 6.3: without either field a request has no body.
        let hasBody =
            head.headers.contains(name: "transfer-encoding")
            || (head.headers.first(name: "content-length").map { $0 != "0" } ?? false)
        if !hasBody { exchange?.isRequestEnded = true }
        stream.write(HTTP2Frame.FramePayload.headers(.init(headers: block, endStream: !hasBody)), promise: nil)
        let expectsContinue = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        if hasBody && expectsContinue && head.isHTTP11 {
            let go = HTTPResponseHead(version: .http1_1, status: .continue)
            context?.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
        }
    }

    private func forward(_ part: HTTPServerRequestPart, to stream: Channel) {
        guard exchange?.isRequestEnded == false else { return }
        switch part {
        case .head: break
        case .body(let bytes):
            stream.write(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes))), promise: nil)
        case .end(let trailers):
            exchange?.isRequestEnded = true
            let block = HeaderTranslation.requestTrailers(trailers ?? [:])
            if block.isEmpty {
                let last = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
                stream.writeAndFlush(last, promise: nil)
            } else {
                let last = HTTP2Frame.FramePayload.headers(.init(headers: block, endStream: true))
                stream.writeAndFlush(last, promise: nil)
            }
        }
    }

    // MARK: pace

    func read(context: ChannelHandlerContext) {
        if acceptsRequest { context.read() } else { isReadHeld = true }
    }

    private var acceptsRequest: Bool {
        guard let exchange else { return true }
        return exchange.stream?.isWritable ?? false
    }

    var acceptsResponse: Bool { context?.channel.isWritable ?? false }

    /// The stream takes more of the request's body, or no longer wants any.
    func requestMayContinue() {
        guard isReadHeld, acceptsRequest, let context else { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.handler?.releaseRead() }
        context.fireChannelWritabilityChanged()
    }

    // MARK: from the device

    func responseFields(_ block: HPACKHeaders, endStream: Bool, exchange number: Int) {
        guard let current = exchange, current.number == number, let context else { return }
        if current.isResponseStarted {
            if endStream { finish(trailers: HeaderTranslation.responseFields(block)) }
            return
        }
        guard let status = HeaderTranslation.status(block) else {
            answer(.badGateway, "the device's answer has no valid status")
            return
        }
        if status < 200 {
            relayInterim(status, block, to: current)
            return
        }
        let (head, keepAlive) = HeaderTranslation.response(
            status: status, block: block, endStream: endStream, request: current.head,
            keepAlive: current.keepAlive && !isInputClosed)
        exchange?.isResponseStarted = true
        exchange?.keepAlive = keepAlive
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if endStream { finish(trailers: nil) }
    }

    /// RFC 9110 15.2: interim answers are passed on, except those about this connection.
    private func relayInterim(_ status: Int, _ block: HPACKHeaders, to exchange: Exchange) {
        guard exchange.head.isHTTP11, status != 100, status != 101, let context else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: status), headers: HeaderTranslation.responseFields(block))
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    func responseBody(_ bytes: ByteBuffer, endStream: Bool, exchange number: Int) {
        guard let current = exchange, current.number == number, current.isResponseStarted, let context else { return }
        if bytes.readableBytes > 0 && current.head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
        if endStream { finish(trailers: nil) }
    }

    func responsePaused(exchange number: Int) {
        if exchange?.number == number { context?.flush() }
    }

    private func finish(trailers: HTTPHeaders?) {
        guard let current = exchange, let context else { return }
        // Cleared first: writing the end lets the next pipelined request in.
        exchange = nil
        let isLast = !current.keepAlive || isInputClosed
        let trailers = (trailers?.isEmpty ?? true) ? nil : trailers
        let written = context.writeAndFlush(wrapOutboundOut(.end(trailers)))
        if !current.isRequestEnded { current.stream?.close(promise: nil) }
        if isLast {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            written.whenComplete { _ in bound.value.close(promise: nil) }
        }
        requestMayContinue()
    }

    /// The stream is over; when the answer is not, the client is told or cut off.
    func streamEnded(_ failure: String?, exchange number: Int) {
        guard let current = exchange, current.number == number else { return }
        if current.isResponseStarted {
            abort()
        } else {
            answer(.badGateway, link.explanation(failure))
        }
    }

    /// Answers by ourselves, in one line of plain text.
    private func answer(_ status: HTTPResponseStatus, _ reason: String) {
        guard let current = exchange, let context else { return }
        exchange?.isResponseStarted = true
        let body = ByteBuffer(string: "2virt-guest: \(reason)\n")
        var headers: HTTPHeaders = [
            "content-type": "text/plain; charset=utf-8", "content-length": String(body.readableBytes),
        ]
        if status == .serviceUnavailable { headers.add(name: "retry-after", value: "1") }
        if !current.keepAlive || isInputClosed { headers.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if current.head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        finish(trailers: nil)
    }

    /// Ends the connection so that the client cannot take a cut answer for a whole one.
    private func abort() {
        exchange = nil
        guard let context else { return }
        context.flush()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        guard let socket = context.channel as? any SocketOptionProvider else {
            context.close(promise: nil)
            return
        }
        // Close with a reset. A local socket has none; there the missing end of the body tells.
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in bound.value.close(promise: nil) }
    }

    // MARK: the end of the client

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            // A client may close its writing side and still want the answer.
            isInputClosed = true
            if exchange == nil { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let stream = exchange?.stream
        exchange = nil
        stream?.close(promise: nil)
        context.fireChannelInactive()
    }
}

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTP2

extension ProxyStream: UpstreamExchangeStream {
    /// Sends the request to the member whose turn it is.
    func attempt() {
        guard let request, let index = cluster.pick(excluding: tried) ?? cluster.pick(excluding: []) else {
            return
        }
        tried.insert(index)
        attempts += 1
        isHeadSent = false
        response = .none
        let exchange = UpstreamExchange(member: index, stream: self, eventLoop: proxy.eventLoop)
        self.exchange = exchange
        do {
            let task = try proxy.execute(
                request, at: cluster.members[index].upstream, hasBody: hasBody, exchange: exchange)
            if self.exchange === exchange { self.task = task }
        } catch {
            self.exchange = nil
            answer(400, "the request cannot be passed on: \(UpstreamFailure.text(error))")
        }
    }

    func sendBody(_ writer: HTTPClient.Body.StreamWriter, for exchange: UpstreamExchange) -> EventLoopFuture<Void> {
        guard exchange === self.exchange else {
            return proxy.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        let promise = proxy.eventLoop.makePromise(of: Void.self)
        bodyPromise = promise
        self.writer = writer
        pumpBody()
        return promise.futureResult
    }

    func requestHeadSent(_ exchange: UpstreamExchange) {
        if exchange === self.exchange { isHeadSent = true }
    }

    func requestSent(_ exchange: UpstreamExchange) {
        guard exchange === self.exchange, timer == nil, case .none = response else { return }
        timer = proxy.eventLoop.assumeIsolated().scheduleTask(in: proxy.responseTimeout) { [weak self] in
            guard let self, exchange === self.exchange else { return }
            let task = task
            failed(ResponseTimeout(), exchange)
            task?.cancel()
        }
    }

    func received(_ head: HTTPResponseHead, _ exchange: UpstreamExchange) {
        guard exchange === self.exchange else { return }
        timer?.cancel()
        timer = nil
        cluster.succeeded(exchange.member)
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        let isSmall = length.map { (0...Self.heldLimit).contains($0) }
        if (isSmall ?? false) && mayRepeat || (isSmall ?? true) && proxy.manner == .exchanges {
            response = .held(head, ByteBuffer())
        } else {
            start(head)
        }
    }

    func received(_ bytes: ByteBuffer, _ exchange: UpstreamExchange) -> EventLoopFuture<Void> {
        guard exchange === self.exchange, let context else {
            return proxy.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        if case .held(let head, var kept) = response {
            response = .none
            kept.writeImmutableBuffer(bytes)
            response = .held(head, kept)
            if kept.readableBytes <= Self.heldLimit { return proxy.eventLoop.makeSucceededVoidFuture() }
            start(head)
            send(kept, endStream: false)
        } else {
            send(bytes, endStream: false)
        }
        if context.channel.isWritable { return proxy.eventLoop.makeSucceededVoidFuture() }
        let room = self.room ?? proxy.eventLoop.makePromise(of: Void.self)
        self.room = room
        return room.futureResult
    }

    func finished(_ exchange: UpstreamExchange) {
        guard exchange === self.exchange else { return }
        if case .held(let head, let kept) = response {
            start(head)
            send(kept, endStream: true)
        } else {
            send(ByteBuffer(), endStream: true)
        }
        endAttempt(ChannelError.eof)
        finishResponse()
    }

    func failed(_ error: any Error, _ exchange: UpstreamExchange) {
        guard exchange === self.exchange else { return }
        let canRepeat = mayRepeat || (!isBodyConsumed && (!isHeadSent || UpstreamFailure.isConnectFailure(error)))
        let member = exchange.member
        let reason = UpstreamFailure.text(error)
        endAttempt(error)
        if UpstreamFailure.isConnectFailure(error) {
            cluster.failed(member, reason)
        } else {
            cluster.suspect(member)
        }
        switch response {
        case .ended:
            return
        case .started:
            // The guest must see that the answer is not whole.
            response = .ended
            context?.writeAndFlush(wrapOutboundOut(.rstStream(.internalError)), promise: nil)
        case .none, .held:
            response = .none
            if canRepeat, attempts < max(2, cluster.members.count) {
                attempt()
                return
            }
            let status =
                UpstreamFailure.isTimeout(error) ? 504 : cluster.upCount == 0 ? 503 : 502
            answer(status, "upstream \(cluster.members[member].upstream.text): \(reason)")
        }
    }

    /// Sending the request again cannot do more than sending it once, and all of it is still here.
    private var mayRepeat: Bool { request?.isIdempotent == true && !isBodyConsumed }

    // MARK: Response

    private func start(_ head: HTTPResponseHead) {
        response = .started
        context?.write(wrapOutboundOut(.headers(.init(headers: ProxyRequest.response(head)))), promise: nil)
        context?.flush()
    }

    private func send(_ bytes: ByteBuffer, endStream: Bool) {
        let payload = HTTP2Frame.FramePayload.Data(data: .byteBuffer(bytes), endStream: endStream)
        context?.writeAndFlush(wrapOutboundOut(.data(payload)), promise: nil)
    }

    /// Answers out of ourselves, as plain text of one line.
    func answer(_ status: Int, _ text: String) {
        let bytes = ByteBuffer(string: "\(status) \(text)\n")
        context?.write(
            wrapOutboundOut(
                .headers(
                    .init(headers: [
                        ":status": "\(status)", "content-type": "text/plain; charset=utf-8",
                        "content-length": "\(bytes.readableBytes)",
                    ]))), promise: nil)
        send(bytes, endStream: true)
        finishResponse()
    }

    /// The answer is complete; a body that is still coming is refused (RFC 9113 section 8.1).
    private func finishResponse() {
        response = .ended
        abandon()
        if !isBodyEnded { context?.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil) }
    }
}

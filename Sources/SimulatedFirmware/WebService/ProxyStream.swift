import AsyncHTTPClient
import DequeModule
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// One HTTP/2 stream of a guest: its request goes to a member of the cluster, the answer comes back.
///
/// Bodies stream both ways with back-pressure. Confined to the session's event loop.
final class ProxyStream: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// How far the answer is.
    enum Response {
        case none
        /// A small answer is kept until it is whole: if its upstream dies meanwhile, another is asked.
        case held(HTTPResponseHead, ByteBuffer)
        case started
        case ended
    }

    /// Bytes of the guest's body kept for the upstream above which the stream is not read.
    static let bodyLimit = 128 * 1024
    /// Largest answer that is kept until whole.
    static let heldLimit = 64 * 1024

    let proxy: UpstreamProxy
    /// The servers of the service that was asked for.
    private(set) lazy var cluster = proxy.cluster
    var context: ChannelHandlerContext?
    var request: ProxyRequest?
    var response = Response.none

    // The guest's body on its way to the upstream.
    var body: Deque<ByteBuffer> = []
    var bodyBytes = 0
    var hasBody = false
    var isBodyEnded = false
    var isBodyConsumed = false
    var writer: HTTPClient.Body.StreamWriter?
    var bodyPromise: EventLoopPromise<Void>?
    var isWritingBody = false
    var isPumpingBody = false
    private var isReadHeld = false

    // The attempt under way.
    var exchange: UpstreamExchange?
    var task: HTTPClient.Task<Void>?
    var timer: Scheduled<Void>?
    var tried: Set<Int> = []
    var attempts = 0
    var isHeadSent = false
    /// Ends when the guest has room for more of the answer.
    var room: EventLoopPromise<Void>?

    init(proxy: UpstreamProxy) {
        self.proxy = proxy
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        abandon()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandon()
        response = .ended
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            if request == nil, case .none = response {
                begin(headers.headers, endStream: headers.endStream)
            } else if headers.endStream {
                // Trailers are not passed on.
                bodyEnded()
            }
        case .data(let payload):
            if case .byteBuffer(let bytes) = payload.data, bytes.readableBytes > 0, request != nil, !isAnswered {
                body.append(bytes)
                bodyBytes += bytes.readableBytes
            }
            if payload.endStream { isBodyEnded = true }
            pumpBody()
        default:
            break
        }
    }

    /// Not reading is what makes the guest's flow-control window run out.
    func read(context: ChannelHandlerContext) {
        if bodyBytes < Self.bodyLimit {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { makeRoom() }
        context.fireChannelWritabilityChanged()
    }

    var isAnswered: Bool {
        if case .ended = response { true } else { false }
    }

    // MARK: Request

    private func begin(_ block: HPACKHeaders, endStream: Bool) {
        hasBody = !endStream
        isBodyEnded = endStream
        if block.first(name: ":method") == "CONNECT" {
            connect(to: block.first(name: ":authority"), endStream: endStream)
            return
        }
        let request: ProxyRequest
        do {
            request = try ProxyRequest(block)
        } catch {
            switch error {
            case .malformed(let reason): answer(400, reason)
            }
            return
        }
        if request.target == ServiceDirectory.path || request.target.hasPrefix(ServiceDirectory.path + "/") {
            askDirectory(request)
            return
        }
        self.request = request
        if proxy.isByteService(request.authority) {
            answer(405, "'\(request.authority.prefix(80))' is a byte service; it is reached by CONNECT")
            return
        }
        guard let cluster = proxy.cluster(for: request.authority) else {
            answer(403, "service '\(request.authority.prefix(80))' was not given to this device")
            return
        }
        self.cluster = cluster
        if request.expectsContinue, hasBody {
            context?.writeAndFlush(wrapOutboundOut(.headers(.init(headers: [":status": "100"]))), promise: nil)
        }
        attempt()
    }

    /// A byte service takes the stream over.
    private func connect(to authority: String?, endStream: Bool) {
        guard let authority else {
            answer(400, "CONNECT without :authority; it names the service")
            return
        }
        guard let context else { return }
        do {
            let tunnel = try proxy.tunnel(to: authority, isGuestDone: endStream)
            let proxy = NIOLoopBound(proxy, eventLoop: proxy.eventLoop)
            context.channel.closeFuture.whenComplete { _ in proxy.value.tunnelEnded() }
            handOver(to: tunnel, context)
        } catch {
            answer(error.status, error.reason)
        }
    }

    /// The interface's own directory takes the stream over.
    private func askDirectory(_ request: ProxyRequest) {
        guard let context else { return }
        handOver(
            to: DirectoryStream(
                request, isWhole: isBodyEnded, directory: proxy.directory, eventLoop: proxy.eventLoop), context)
    }

    /// Another handler reads and writes from here on; what this one held back is the other's to ask for.
    private func handOver(to handler: any ChannelHandler, _ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(handler, position: .after(self))
        } catch {
            answer(500, "\(error)")
            return
        }
        isReadHeld = false
        pipeline.removeHandler(self, promise: nil)
    }

    private func bodyEnded() {
        isBodyEnded = true
        pumpBody()
    }

    /// Moves the body to the upstream, one write at a time.
    func pumpBody() {
        guard !isPumpingBody else { return }
        isPumpingBody = true
        defer { isPumpingBody = false }
        while let writer, !isWritingBody, let bytes = body.popFirst() {
            bodyBytes -= bytes.readableBytes
            isBodyConsumed = true
            isWritingBody = true
            let current = exchange
            writer.write(.byteBuffer(bytes)).hop(to: proxy.eventLoop).assumeIsolated().whenComplete { [weak self] _ in
                // A failed write ends the attempt by itself.
                guard let self, self.exchange === current else { return }
                isWritingBody = false
                pumpBody()
            }
        }
        if writer != nil, isBodyEnded, !isWritingBody, body.isEmpty {
            bodyPromise?.succeed(())
            bodyPromise = nil
        }
        if isReadHeld, bodyBytes < Self.bodyLimit {
            isReadHeld = false
            context?.read()
        }
    }

    /// The guest is no longer listening, or the answer is complete: nothing of the upstream matters any more.
    func abandon() {
        let task = task
        endAttempt(ChannelError.ioOnClosedChannel)
        task?.cancel()
        body.removeAll()
        bodyBytes = 0
    }

    /// Forgets the attempt under way; whatever waits for something of it is let go.
    func endAttempt(_ error: any Error) {
        exchange = nil
        task = nil
        timer?.cancel()
        timer = nil
        writer = nil
        isWritingBody = false
        bodyPromise?.fail(error)
        bodyPromise = nil
        room?.fail(error)
        room = nil
    }

    private func makeRoom() {
        let room = room
        self.room = nil
        room?.succeed(())
    }
}

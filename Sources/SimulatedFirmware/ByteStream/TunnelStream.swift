import DequeModule
import NIOCore
import NIOHTTP2
import NIOPosix

/// One CONNECT stream of a guest (RFC 9113 section 8.5): its bytes go to a byte service of the host, and come back.
///
/// Each side is read only while the other takes more, and each may end its direction by itself. Confined to the
/// session's event loop.
final class TunnelStream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum State {
        case connecting
        case open(any Channel)
        case ended
    }

    private let service: ByteService
    private let eventLoop: any EventLoop
    /// Told once, whether the service could be reached.
    private let reached: (_ problem: String?) -> Void
    private var state = State.connecting
    private var context: ChannelHandlerContext?
    private var tunnelEnd: TunnelEnd?
    /// What the guest has sent before the service was reached: at most one window.
    private var early: Deque<ByteBuffer> = []
    private var isGuestDone: Bool
    private var isServiceDone = false
    private var isReadHeld = false

    /// - Parameter isGuestDone: the guest has ended its direction with the request itself.
    init(
        service: ByteService, isGuestDone: Bool, eventLoop: any EventLoop, reached: @escaping (String?) -> Void
    ) {
        self.service = service
        self.isGuestDone = isGuestDone
        self.eventLoop = eventLoop
        self.reached = reached
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let tunnel = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(5))
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let end = TunnelEnd(tunnel.value)
                    tunnel.value.tunnelEnd = end
                    try channel.pipeline.syncOperations.addHandler(end)
                }
            }
        let connecting =
            switch service.endpoint {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connecting.hop(to: eventLoop).assumeIsolated().whenComplete { [self] in connected($0) }
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        switch (state, result) {
        case (.connecting, .success(let channel)):
            state = .open(channel)
            reached(nil)
            write(.headers(.init(headers: [":status": "200"])))
            while let bytes = early.popFirst() { channel.write(bytes, promise: nil) }
            channel.flush()
            if isGuestDone { channel.close(mode: .output, promise: nil) }
            releaseRead()
            tunnelEnd?.releaseRead()
        case (.connecting, .failure(let error)):
            state = .ended
            let problem = UpstreamFailure.text(error)
            reached(problem)
            let text = ByteBuffer(string: "502 service '\(service.name)' (\(service.text)): \(problem)\n")
            write(.headers(.init(headers: [":status": "502", "content-type": "text/plain; charset=utf-8"])))
            write(.data(.init(data: .byteBuffer(text), endStream: true)))
            if !isGuestDone { write(.rstStream(.noError)) }
        case (_, .success(let channel)):
            // The guest has gone meanwhile.
            channel.close(promise: nil)
        case (_, .failure):
            break
        }
    }

    private func write(_ payload: HTTP2Frame.FramePayload) {
        context?.writeAndFlush(wrapOutboundOut(payload), promise: nil)
    }

    // MARK: From the guest

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            switch state {
            case .connecting: early.append(bytes)
            case .open(let channel): channel.write(bytes, promise: nil)
            case .ended: break
            }
            if frame.endStream { guestDone() }
        case .headers(let frame) where frame.endStream:
            guestDone()
        default:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .open(let channel) = state { channel.flush() }
        context.fireChannelReadComplete()
    }

    private func guestDone() {
        isGuestDone = true
        if case .open(let channel) = state {
            channel.flush()
            channel.close(mode: .output, promise: nil)
        }
    }

    /// Not reading is what makes the guest's flow-control window run out.
    func read(context: ChannelHandlerContext) {
        if case .open(let channel) = state, channel.isWritable {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    fileprivate func releaseRead() {
        guard isReadHeld, case .open(let channel) = state, channel.isWritable, let context else { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { tunnelEnd?.releaseRead() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    private func end() {
        early.removeAll()
        if case .open(let channel) = state { channel.close(promise: nil) }
        state = .ended
        tunnelEnd = nil
    }

    // MARK: From the service

    fileprivate var takesMore: Bool {
        // What the service says first follows the answer to CONNECT.
        guard case .open = state else { return false }
        return context?.channel.isWritable ?? false
    }

    fileprivate func received(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(.data(.init(data: .byteBuffer(bytes)))), promise: nil)
    }

    fileprivate func receivedAll() { context?.flush() }

    fileprivate func serviceDone() {
        guard case .open = state, !isServiceDone else { return }
        isServiceDone = true
        write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
    }

    /// The connection to the service is closed.
    fileprivate func serviceGone(isBroken: Bool) {
        guard case .open = state else { return }
        if !isBroken { serviceDone() }
        state = .ended
        // RFC 9113 section 8.5: a connection that breaks is CONNECT_ERROR.
        if isBroken || !isGuestDone { write(.rstStream(isBroken ? .connectError : .noError)) }
    }
}

/// The tunnel's handler on the connection to the service.
private final class TunnelEnd: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private weak var tunnel: TunnelStream?
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var isBroken = false

    init(_ tunnel: TunnelStream) { self.tunnel = tunnel }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { tunnel?.received(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        tunnel?.receivedAll()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if tunnel?.takesMore == true {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func releaseRead() {
        guard isReadHeld, tunnel?.takesMore == true, let context else { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { tunnel?.releaseRead() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { tunnel?.serviceDone() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }

    /// Also the service's end after ours: then no event tells that its direction has ended.
    func channelInactive(context: ChannelHandlerContext) {
        tunnel?.serviceGone(isBroken: isBroken)
        context.fireChannelInactive()
    }
}

import NIOCore
import NIOHTTP2

/// The device's side of one exchange: frames of its stream go to the request handler, at the pace it can write.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private weak var owner: RequestHandler?
    private let exchange: Int
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var failure: String?

    init(owner: RequestHandler, exchange: Int) {
        self.owner = owner
        self.exchange = exchange
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            owner?.responseFields(frame.headers, endStream: frame.endStream, exchange: exchange)
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            owner?.responseBody(bytes, endStream: frame.endStream, exchange: exchange)
        case .rstStream(let code):
            failure = "the device cancelled the request (\(code))"
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        owner?.responsePaused(exchange: exchange)
        guard let owner, owner.acceptsResponse else {
            isReadHeld = true
            return
        }
        context.read()
    }

    /// The local client can take more.
    func releaseRead() {
        guard isReadHeld, let context else { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { owner?.requestMayContinue() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil { failure = "the device's answer failed: \(error)" }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        owner?.streamEnded(failure, exchange: exchange)
        context.fireChannelInactive()
    }
}

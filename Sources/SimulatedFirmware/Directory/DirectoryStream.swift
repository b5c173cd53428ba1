import NIOCore
import NIOHTTP2

/// One HTTP/2 stream that asks for the directory itself: its body is taken whole, then answered.
final class DirectoryStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let request: ProxyRequest
    private let directory: ServiceDirectory
    private let eventLoop: any EventLoop
    private var context: ChannelHandlerContext?
    private var body: [UInt8] = []
    private var isAnswered = false
    private var isWhole: Bool

    init(_ request: ProxyRequest, isWhole: Bool, directory: ServiceDirectory, eventLoop: any EventLoop) {
        self.request = request
        self.isWhole = isWhole
        self.directory = directory
        self.eventLoop = eventLoop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if isWhole { handle() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isWhole else { return }
        switch unwrapInboundIn(data) {
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data { body += bytes.readableBytesView }
            guard body.count <= ServiceDirectory.maximumBody else {
                isWhole = true
                body = []
                let limit = ServiceDirectory.maximumBody
                answer(ServiceDirectory.failure(413, "bad-request", "the arguments have more than \(limit) bytes"))
                context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil)
                return
            }
            if frame.endStream { handle() }
        case .headers(let frame) where frame.endStream:
            handle()
        default: break
        }
    }

    private func handle() {
        isWhole = true
        directory.handle(request, body: body) { self.answer($0) }
    }

    private func answer(_ reply: ServiceDirectory.Reply) {
        guard let context, !isAnswered else { return }
        isAnswered = true
        context.write(
            wrapOutboundOut(
                .headers(
                    .init(headers: [
                        ":status": "\(reply.status)", "content-type": reply.contentType,
                        "content-length": "\(reply.body.count)", "cache-control": "no-store",
                    ]))), promise: nil)
        let bytes = ByteBuffer(bytes: reply.body)
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(bytes), endStream: true))), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

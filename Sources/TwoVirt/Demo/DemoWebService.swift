import NIOCore
import NIOHTTP1
import NIOPosix

/// The demo's upstream: a small web server on a loopback port of the host, which the guest has no other way to reach.
///
/// `GET /` greets, `GET /bytes/N` streams N bytes (at most 1 GiB).
struct DemoWebService: Sendable {
    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    static func start() async throws -> DemoWebService {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(DemoWebHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return DemoWebService(channel: channel)
    }

    func stop() async {
        // Closing what is closed already is the wanted state.
        try? await channel.close()
    }
}

/// Answers one connection's requests; a body is written as fast as the connection takes it.
private final class DemoWebHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let limit = 1 << 30
    private static let block = ByteBuffer(repeating: UInt8(ascii: "."), count: 64 << 10)

    private var head: HTTPRequestHead?
    /// Bytes of the body under way that are still to be written.
    private var left = 0
    private var isContinuing = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end: answer(context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        continueBody(context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        if let size = head.uri.split(separator: "/", omittingEmptySubsequences: true).last.flatMap({ Int($0) }),
            head.uri.hasPrefix("/bytes/"), (0...Self.limit).contains(size)
        {
            start(context, head, .ok, length: size, type: "application/octet-stream")
            left = size
            continueBody(context)
        } else {
            let isRoot = head.uri == "/"
            let text =
                isRoot
                ? "Hello from the host. This came through a USB device: no network card, no address.\n"
                : "there is nothing at \(head.uri.prefix(200)); try / or /bytes/1000000\n"
            start(context, head, isRoot ? .ok : .notFound, length: text.utf8.count, type: "text/plain")
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private func start(
        _ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ status: HTTPResponseStatus, length: Int,
        type: String
    ) {
        let headers: HTTPHeaders = ["content-length": "\(length)", "content-type": type]
        let response = HTTPResponseHead(version: head.version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        self.head = nil
        if length == 0 { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }

    /// A flush may make the channel writable again and come back here before it returns; the loop that runs goes on.
    private func continueBody(_ context: ChannelHandlerContext) {
        guard left > 0, !isContinuing else { return }
        isContinuing = true
        defer { isContinuing = false }
        while left > 0, context.channel.isWritable {
            let count = min(left, Self.block.readableBytes)
            left -= count
            let slice = Self.block.getSlice(at: 0, length: count) ?? Self.block
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(slice))), promise: nil)
        }
        if left == 0 { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }
}

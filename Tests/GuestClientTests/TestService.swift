import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// The service behind the fake device; the path says what it does.
final class TestService: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// 64 KiB that any body is made of.
    static let pattern = ByteBuffer(bytes: (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
    /// Bytes of bodies by path: tests run side by side.
    static let sent = NIOLockedValueBox<[String: Int]>([:])

    private var path = ""
    private var toSend = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let bytes):
            if path == "/echo" { context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
        case .end:
            switch path {
            case "/echo": end(context)
            case "/hang", "/early", "/cut", "/reset": break
            case _ where path.hasPrefix("/size/"): sendMore(context)
            default: end(context)
            }
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        path = head.uri
        switch path {
        case "/echo": start(context, .ok, [:])
        case "/hang": break
        case "/cut":
            start(context, .ok, ["content-length": "1000"])
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "part")))), promise: nil)
        case "/reset": context.close(promise: nil)
        case "/early":
            start(context, .payloadTooLarge, ["content-length": "0"])
            end(context)
        case "/nothing": start(context, .noContent, [:])
        case "/head": start(context, .ok, ["content-length": "12345"])
        case "/fields":
            start(context, .ok, ["x-one": "1", "connection": "x-secret", "keep-alive": "5"])
            let text = head.headers.map { "\($0.name): \($0.value)" }.sorted().joined(separator: "\n")
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        case _ where path.hasPrefix("/size/"):
            toSend = Int(path.dropFirst(6)) ?? 0
            start(context, .ok, ["content-length": String(toSend)])
        default:
            start(context, .ok, [:])
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "path \(path)")))), promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if toSend > 0 { sendMore(context) }
    }

    private func sendMore(_ context: ChannelHandlerContext) {
        while toSend > 0, context.channel.isWritable {
            let chunk = Self.pattern.getSlice(at: 0, length: min(toSend, Self.pattern.readableBytes)) ?? ByteBuffer()
            toSend -= chunk.readableBytes
            Self.sent.withLockedValue { $0[path, default: 0] += chunk.readableBytes }
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(chunk))), promise: nil)
            if toSend == 0 { end(context) }
        }
    }

    private func start(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ headers: HTTPHeaders) {
        let head = HTTPResponseHead(version: .http2, status: status, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func end(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

import NIOCore
import NIOHPACK
import NIOHTTP2

/// The byte service `web` behind the fake device: it sends back what it gets. Other names are refused.
final class TestByteService: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            let isOurs = frame.headers[":method"] == ["CONNECT"] && frame.headers[":authority"] == ["web"]
            let head: HPACKHeaders = [":status": isOurs ? "200" : "403"]
            context.write(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
            if !isOurs { send(ByteBuffer(string: "403 not given\n"), endStream: true, context) }
            context.flush()
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            send(bytes, endStream: frame.endStream, context)
        default:
            break
        }
    }

    private func send(_ bytes: ByteBuffer, endStream: Bool, _ context: ChannelHandlerContext) {
        context.writeAndFlush(
            wrapOutboundOut(.data(.init(data: .byteBuffer(bytes), endStream: endStream))), promise: nil)
    }
}

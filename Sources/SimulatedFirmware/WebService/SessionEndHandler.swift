import NIOCore
import NIOHTTP2

/// Last in a session's pipeline: an error of the connection closes it, and the function hears how it ended.
final class SessionEndHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private var ended: (((any Error)?) -> Void)?
    private var error: (any Error)?

    /// - Parameter ended: called once, with the error that ended the session, or nil.
    init(_ ended: @escaping ((any Error)?) -> Void) {
        self.ended = ended
    }

    /// Frames of the connection itself (SETTINGS, PING, GOAWAY): the HTTP/2 handler has acted on them.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An error of one stream is that stream's affair.
        if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream { return }
        self.error = self.error ?? error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let ended = ended
        self.ended = nil
        ended?(error)
        context.fireChannelInactive()
    }
}

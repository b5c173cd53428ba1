import NIOCore

/// One of two channels on one loop whose bytes go over to the other; the end of one is the end of both.
///
/// A channel is read only while the other takes what it gives.
final class JoinHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: JoinHandler?
    private var context: ChannelHandlerContext?
    private var holdsRead = false

    private init() {}

    static func pair() -> (JoinHandler, JoinHandler) {
        let (first, second) = (JoinHandler(), JoinHandler())
        first.partner = second
        second.partner = first
        return (first, second)
    }

    private var isWritable: Bool { context?.channel.isWritable ?? false }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isWritable { partner?.resume() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        part()
    }

    func channelActive(context: ChannelHandlerContext) {
        partner?.resume()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let other = partner?.context else { return }
        other.write(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if let partner, partner.isWritable {
            context.read()
        } else {
            holdsRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.resume() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        part()
        context.fireChannelInactive()
    }

    private func resume() {
        guard holdsRead, let context else { return }
        holdsRead = false
        context.read()
    }

    private func part() {
        guard let other = partner else { return }
        partner = nil
        other.partner = nil
        other.context?.close(promise: nil)
    }
}

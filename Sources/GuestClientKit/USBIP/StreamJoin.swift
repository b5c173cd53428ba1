import NIOCore

/// Two channels of one event loop joined: what one reads the other writes, no faster than it is taken, and the end of
/// one is the end of the other.
final class StreamJoin: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: StreamJoin?
    private var context: ChannelHandlerContext?
    private var holdsRead = false

    private init() {}

    static func pair() -> (StreamJoin, StreamJoin) {
        let (first, second) = (StreamJoin(), StreamJoin())
        first.partner = second
        second.partner = first
        return (first, second)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if !context.channel.isActive { part() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        part()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }

    func channelInactive(context: ChannelHandlerContext) {
        part()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, let partner, partner.holdsRead {
            partner.holdsRead = false
            partner.context?.read()
        }
    }

    func read(context: ChannelHandlerContext) {
        if partner?.context?.channel.isWritable ?? false {
            context.read()
        } else {
            holdsRead = true
        }
    }

    private func part() {
        guard let other = partner else { return }
        partner = nil
        other.partner = nil
        other.context?.close(promise: nil)
    }
}

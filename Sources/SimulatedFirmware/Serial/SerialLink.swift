import NIOCore

/// One connection of a serial backend, as a handler at the end of its channel; reads only when asked.
final class SerialLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What becomes of the connection; all on the channel's event loop.
    struct Events {
        var active: (SerialLink) -> Void
        var received: (ByteBuffer) -> Void
        var readCompleted: () -> Void
        var writable: () -> Void
        var inputClosed: (SerialLink) -> Void
        var inactive: (SerialLink, (any Error)?) -> Void
    }

    private var events: Events?
    private var context: ChannelHandlerContext?
    private var error: (any Error)?
    /// The peer has ended its direction and may still read.
    private(set) var isInputClosed = false

    init(_ events: Events) {
        self.events = events
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func read() {
        guard !isInputClosed else { return }
        context?.read()
    }

    /// Closes without telling `events`.
    func close() {
        events = nil
        context?.close(promise: nil)
        context = nil
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { events?.active(self) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        events?.active(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        events?.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        events?.readCompleted()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { events?.writable() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            events?.inputClosed(self)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let events = events
        self.events = nil
        self.context = nil
        events?.inactive(self, error)
    }
}

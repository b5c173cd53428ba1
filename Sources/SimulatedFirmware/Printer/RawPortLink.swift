import NIOCore

/// One connection to a raw printing port, as the handler at the end of its channel.
final class RawPortLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Time that a printer has to take what was sent, and to hang up, after a job.
    private static let lingerTime = TimeAmount.minutes(2)

    /// What becomes of the connection; on its event loop.
    struct Events {
        var received: (ByteBuffer) -> Void
        var writable: () -> Void
        /// Not after `finish`.
        var inactive: (RawPortLink, (any Error)?) -> Void
    }

    private var events: Events?
    private var context: ChannelHandlerContext?
    private var error: (any Error)?
    private var finished: ((Bool) -> Void)?
    private var lingering: Scheduled<Void>?

    init(_ events: Events) {
        self.events = events
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ bytes: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Ends our direction behind what is written, and tells whether the printer took all and hung up in its turn.
    func finish(_ finished: @escaping (Bool) -> Void) {
        events = nil
        guard let context else {
            finished(false)
            return
        }
        self.finished = finished
        // The reference is held until then, so that nothing is cut off.
        let loop = context.eventLoop.assumeIsolated()
        lingering = loop.scheduleTask(in: Self.lingerTime) { self.close() }
        context.close(mode: .output, promise: nil)
    }

    /// Closes without telling anybody but who waits for `finish`, whose job may not have arrived.
    func close() {
        events = nil
        context?.close(promise: nil)
        end(isWhole: false)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        events?.received(unwrapInboundIn(data))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { events?.writable() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if finished != nil, let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
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
        end(isWhole: error == nil)
    }

    private func end(isWhole: Bool) {
        lingering?.cancel()
        lingering = nil
        let finished = finished
        self.finished = nil
        finished?(isWhole)
    }
}

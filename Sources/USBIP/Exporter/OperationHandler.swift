import NIOCore
import USBIPCodec

/// A fresh connection: who it is, what it wants, and for how long it may take to say so.
///
/// Reads stop once it has said what it wants, so that what follows stays in the socket for whoever serves it next.
final class OperationHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let maximumUnreadBytes = 1 << 20

    private let exporter: Exporter
    private let listener: ExporterListener
    private var inbound = ByteBuffer()
    private var isReading = true
    private var holdsRead = false
    private var isOver = false
    private var peer = "unknown"
    private var timer: Scheduled<Void>?
    private var hasStarted = false

    init(exporter: Exporter, listener: ExporterListener) {
        self.exporter = exporter
        self.listener = listener
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard !hasStarted else { return }
        hasStarted = true
        peer = listener.peerName(context.channel.remoteAddress)
        // A TCP peer without an address has gone again.
        if case .tcp = listener.address, context.channel.remoteAddress == nil { return end(context) }
        guard listener.admits(context.channel.remoteAddress) else {
            return refuse(context, "its address is not in the listener's allowed networks")
        }
        guard exporter.admit(context.channel) else {
            return refuse(context, "too many connections")
        }
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: exporter.settings.limits.operationTimeLimit) {
            let (handler, context) = this.value
            guard !handler.isOver else { return }
            handler.refuse(context, "it took too long to say what it wants")
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var bytes = unwrapInboundIn(data)
        inbound.writeBuffer(&bytes)
        // Behind TLS a read may bring several pieces. At the end of a connection all that it still holds comes.
        guard isReading else {
            if inbound.readableBytes > Self.maximumUnreadBytes { end(context) }
            return
        }
        if inbound.readableBytesView.first == UInt8(ascii: "{") { return watch(context) }
        do {
            guard let request = try OperationRequest.read(from: &inbound) else { return }
            isReading = false
            switch request {
            case .listDevices: list(context)
            case .importDevice(let busID): importDevice(context, busID)
            }
        } catch {
            refuse(context, error.description)
        }
    }

    func read(context: ChannelHandlerContext) {
        if isReading {
            context.read()
        } else {
            holdsRead = true
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if listener.tls != nil, !isOver, !(error is IOError) {
            refuse(context, "TLS: \(error)")
        } else {
            end(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        over()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { over() }

    private func over() {
        isOver = true
        isReading = false
        timer?.cancel()
        timer = nil
        inbound = ByteBuffer()
    }

    private func end(_ context: ChannelHandlerContext) {
        over()
        context.close(promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext, _ reason: String) {
        exporter.refused(peer, reason)
        end(context)
    }

    // MARK: What it wants

    private func list(_ context: ChannelHandlerContext) {
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        exporter.listing(for: context.channel.remoteAddress, on: context.eventLoop).whenSuccess { devices in
            let (handler, context) = this.value
            handler.answer(context, .devices(devices))
        }
    }

    private func importDevice(_ context: ChannelHandlerContext, _ busID: BusID) {
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let unread = inbound
        inbound = ByteBuffer()
        exporter.hand(context.channel, of: listener, peer: peer, asking: busID, unread: unread).whenComplete { result in
            let (handler, context) = this.value
            switch result {
            case .success(.served): handler.end(context)
            case .success(.joined):
                context.pipeline.syncOperations.removeHandler(handler, promise: nil)
            case .success(.refused(let status, let reason)):
                handler.exporter.refused(handler.peer, reason)
                handler.answer(context, .refused(.replyImport, status))
            case .failure(let error):
                handler.exporter.refused(handler.peer, String(describing: error))
                handler.answer(context, .refused(.replyImport, .error))
            }
        }
    }

    /// The last word on this connection; its time limit goes on until the peer has taken it.
    private func answer(_ context: ChannelHandlerContext, _ reply: OperationReply) {
        guard !isOver else { return }
        var bytes = context.channel.allocator.buffer(capacity: DeviceRecord.length)
        reply.write(to: &bytes)
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(bytes)).whenComplete { _ in
            let (handler, context) = this.value
            handler.end(context)
        }
    }

    private func watch(_ context: ChannelHandlerContext) {
        guard let watch = exporter.watch else { return refuse(context, "there is no watch channel here") }
        isReading = false
        timer?.cancel()
        timer = nil
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        watch(context.channel, context.channel.remoteAddress, listener.address).hop(to: context.eventLoop).whenComplete
        {
            let (handler, context) = this.value
            guard !handler.isOver else { return }
            switch $0 {
            case .success: context.pipeline.syncOperations.removeHandler(handler, promise: nil)
            case .failure(let error): handler.refuse(context, String(describing: error))
            }
        }
    }

    /// The bytes that have come belong to the handlers behind.
    func removeHandler(context: ChannelHandlerContext, removalToken: ChannelHandlerContext.RemovalToken) {
        isReading = true
        if inbound.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(inbound))
            context.fireChannelReadComplete()
        }
        let channel = context.channel
        context.leavePipeline(removalToken: removalToken)
        if holdsRead { channel.read() }
    }
}

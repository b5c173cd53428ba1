import NIOCore
import NIOHPACK
import NIOHTTP2

/// One connection of a local program to a byte service: a CONNECT stream to the device (RFC 9113 section 8.5).
///
/// Each side is read only while the other takes more, and each may end its direction by itself.
final class LocalTunnel: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let link: DeviceLink
    private let report: @Sendable (String) -> Void
    private var context: ChannelHandlerContext?
    private var stream: Channel?
    private var streamHandler: TunnelStreamHandler?
    /// The device has said that the service is reached.
    private var isOpen = false
    private var isReadHeld = false
    private var isLocalDone = false
    private var isServiceDone = false
    private var isBroken = false

    init(link: DeviceLink, report: @escaping @Sendable (String) -> Void) {
        self.link = link
        self.report = report
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        let handler = TunnelStreamHandler(owner: self)
        streamHandler = handler
        let bound = NIOLoopBound((self, handler), eventLoop: link.eventLoop)
        link.makeStream { channel in
            channel.setOption(.autoRead, value: false).flatMapThrowing {
                try channel.pipeline.syncOperations.addHandler(bound.value.1)
            }
        }.whenComplete { bound.value.0.opened($0) }
        context.fireChannelActive()
    }

    private func opened(_ result: Result<Channel, any Error>) {
        switch result {
        case .failure(let error):
            switch error {
            case DeviceLink.Failure.away(let reason), DeviceLink.Failure.lost(let reason): refuse(reason)
            default: refuse("no stream to the device: \(error)")
            }
        case .success(let stream):
            guard context != nil else {
                // The program has gone meanwhile.
                stream.close(promise: nil)
                return
            }
            self.stream = stream
            let block: HPACKHeaders = [":method": "CONNECT", ":authority": link.authority]
            stream.writeAndFlush(HTTP2Frame.FramePayload.headers(.init(headers: block)), promise: nil)
        }
    }

    /// There is no way to tell the program why, so the proxy's user is told.
    private func refuse(_ reason: String) {
        report("no connection to '\(link.authority)': \(reason)")
        context?.close(promise: nil)
    }

    // MARK: from the program

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        stream?.write(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(unwrapInboundIn(data)))), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        stream?.flush()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if isOpen, stream?.isWritable == true { context.read() } else { isReadHeld = true }
    }

    /// The stream takes more.
    fileprivate func releaseRead() {
        guard isReadHeld, isOpen, stream?.isWritable == true, let context else { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { streamHandler?.releaseRead() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            localDone()
            if isServiceDone { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func localDone() {
        guard !isLocalDone else { return }
        isLocalDone = true
        let last = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        stream?.writeAndFlush(last, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // The program's end after the service's: what it has sent still has to arrive, so the stream is not cut.
        if isServiceDone, !isBroken { localDone() } else { stream?.close(promise: nil) }
        stream = nil
        context.fireChannelInactive()
    }

    // MARK: from the device

    fileprivate var acceptsBytes: Bool { context?.channel.isWritable ?? false }

    fileprivate func answered(status: String) {
        guard !isOpen else { return }
        guard status == "200" else { return }
        isOpen = true
        releaseRead()
    }

    fileprivate func received(_ bytes: ByteBuffer) {
        // Without a 200 it is the device's explanation.
        if isOpen { context?.write(wrapOutboundOut(bytes), promise: nil) }
    }

    fileprivate func receivedAll() { context?.flush() }

    fileprivate func serviceDone() {
        guard isOpen, let context else { return }
        isServiceDone = true
        if isLocalDone {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.close(promise: nil) }
        } else {
            context.flush()
            context.close(mode: .output, promise: nil)
        }
    }

    /// The stream is over.
    ///
    /// - Parameter failure: what the device said; nil when it said nothing.
    fileprivate func streamEnded(_ failure: String?) {
        stream = nil
        guard let context else { return }
        if !isOpen {
            refuse(link.explanation(failure))
        } else {
            context.flush()
            context.close(promise: nil)
        }
    }
}

/// The device's side of a tunnel.
final class TunnelStreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    /// Bytes of a refusal that are shown.
    private static let explanationLimit = 512

    private weak var owner: LocalTunnel?
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var status = ""
    private var explanation = ByteBuffer()
    private var failure: String?

    init(owner: LocalTunnel) { self.owner = owner }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if status.isEmpty { status = frame.headers.first(name: ":status") ?? "none" }
            owner?.answered(status: status)
            if frame.endStream { ended(context) }
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            if status == "200" {
                owner?.received(bytes)
            } else if explanation.readableBytes < Self.explanationLimit {
                explanation.writeImmutableBuffer(bytes)
            }
            if frame.endStream { ended(context) }
        case .rstStream(let code):
            failure = "the device cancelled the connection (\(code))"
        default: break
        }
    }

    /// The service's direction has ended; with a refusal there is no other one.
    private func ended(_ context: ChannelHandlerContext) {
        guard status != "200" else {
            owner?.serviceDone()
            return
        }
        owner?.streamEnded(refusal)
        context.close(promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        owner?.receivedAll()
        guard let owner, owner.acceptsBytes else {
            isReadHeld = true
            return
        }
        context.read()
    }

    /// The program takes more.
    func releaseRead() {
        guard isReadHeld, let context else { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { owner?.releaseRead() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil { failure = "the device's answer failed: \(error)" }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        owner?.streamEnded(refusal ?? failure)
        context.fireChannelInactive()
    }

    /// What the device answered instead of 200, as one line.
    private var refusal: String? {
        guard !status.isEmpty, status != "200" else { return nil }
        let text = String(buffer: explanation).prefix(Self.explanationLimit).filter { $0.isASCII && !$0.isNewline }
        return text.isEmpty ? "the device answered \(status)" : String(text)
    }
}

import Glibc
import Logging
import NIOCore
import USBCore
import USBDevice
import USBIPCodec

/// One importer's URB stream: the exporter's end, which gives the device behind a `DevicePort` to a host controller
/// elsewhere.
///
/// A channel handler over `ByteBuffer`, confined to its channel's event loop, which must be the port's too. It alone
/// writes, so for each URB it alone decides between RET_SUBMIT and RET_UNLINK. Connect the device before the channel is
/// active.
public final class USBIPSession: ChannelDuplexHandler, TransferHost {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = Never
    public typealias OutboundIn = Never
    public typealias OutboundOut = ByteBuffer

    public let port: DevicePort
    /// bus number << 16 | device number; requests for another are refused.
    public let deviceID: UInt32
    public let speed: Speed
    public let limits: SessionLimits
    /// nil while it goes on.
    @exclusivity(unchecked) public private(set) var end: SessionEnd?

    let logger: Logger
    private let firstRequestTimeLimit: TimeAmount?
    private let onEnd: (SessionEnd) -> Void
    private var firstRequestTimer: Scheduled<Void>?

    // What each request touches is exempt from run-time exclusivity checks: everything is on one loop, and nothing
    // outside is called while it is accessed.
    @exclusivity(unchecked) var decoder: URBRequestDecoder
    @exclusivity(unchecked) private var inbound = ByteBuffer()
    @exclusivity(unchecked) var outgoing = ByteBuffer()
    /// To be sent behind `outgoing`.
    @exclusivity(unchecked) var staged = ReplyStage()
    @exclusivity(unchecked) var urbs = TransferSlots<PendingURB>()
    @exclusivity(unchecked) var pendingBytes = 0
    @exclusivity(unchecked) var endpoints = EndpointMasks()
    /// The transfer that is being taken back, while that lasts.
    @exclusivity(unchecked) var unlinking: TransferID?
    /// It has been answered after all.
    @exclusivity(unchecked) var answersUnlinked = false
    @exclusivity(unchecked) private var spare = ByteBuffer()
    @exclusivity(unchecked) private var isReading = false
    @exclusivity(unchecked) private var isDraining = false
    @exclusivity(unchecked) private var isFlushScheduled = false
    @exclusivity(unchecked) private var hasRequests = false
    @exclusivity(unchecked) private var context: ChannelHandlerContext?
    private var greeting = ByteBuffer()
    private var hasStarted = false
    private var holdsRead = false
    private var isConnected = false

    /// - Parameters:
    ///   - firstRequestTimeLimit: after which an importer that asks nothing loses the device; nil: never.
    ///   - onEnd: called once, on the event loop, when the device is out.
    public init(
        port: DevicePort, deviceID: UInt32, speed: Speed, limits: SessionLimits = SessionLimits(),
        firstRequestTimeLimit: TimeAmount? = nil, logger: Logger, onEnd: @escaping (SessionEnd) -> Void
    ) {
        self.port = port
        self.deviceID = deviceID
        self.speed = speed
        self.limits = limits
        self.firstRequestTimeLimit = firstRequestTimeLimit
        self.logger = logger
        self.onEnd = onEnd
        decoder = URBRequestDecoder(limits: limits.codec)
    }

    // MARK: What the owner calls, on the event loop

    /// Takes the device for this importer.
    ///
    /// - Parameters:
    ///   - greeting: bytes to send first, the answer to OP_REQ_IMPORT.
    ///   - unread: bytes that came behind that request.
    public func connectDevice(
        greeting: (Enumeration) -> ByteBuffer = { _ in ByteBuffer() }, unread: ByteBuffer = ByteBuffer()
    ) throws(DevicePortError) {
        try port.connect(to: self, speed: speed)
        isConnected = true
        let enumeration = port.firmware.enumeration(at: speed)
        endpoints = EndpointMasks(enumeration)
        self.greeting = greeting(enumeration)
        inbound = unread
    }

    /// Takes the device back: what is pending is answered with -ESHUTDOWN, then the connection closes, which is how a
    /// USB/IP host learns of an unplug.
    public func release(_ reason: String) {
        finish(.released(reason), answering: true)
    }

    /// URBs that the device has.
    public var pendingCount: Int { urbs.count }
    /// Bytes that have come and wait: for the rest of a request, or for the importer to read.
    public var unreadBytes: Int { inbound.readableBytes }

    // MARK: TransferHost

    public func port(_ port: DevicePort, completed completion: TransferCompletion) {
        guard let urb = urbs.remove(completion.id) else { return }
        pendingBytes -= urb.cost
        if completion.id == unlinking {
            // Taken back: RET_UNLINK is the only answer. If the device was faster, its answer goes ahead of that.
            if completion.status == .cancelled { return }
            answersUnlinked = true
        }
        if urb.changesEndpoints { refreshEndpoints() }
        reply(to: urb, with: completion)
        flushUnlessReading()
    }

    public func portWantsReconnect(_ port: DevicePort) {
        finish(.deviceChanged, answering: true)
    }

    public func portDidDisconnect(_ port: DevicePort) {
        isConnected = false
        finish(.deviceTaken, answering: true)
    }

    // MARK: Channel

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        mayProceed = context.channel.isWritable
        if context.channel.isActive { start() }
    }

    public func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    private func start() {
        guard !hasStarted, let context else { return }
        hasStarted = true
        // The device may have been taken back while the connection was on its way here.
        guard end == nil else {
            context.close(promise: nil)
            return
        }
        outgoing = greeting
        greeting = ByteBuffer()
        flush()
        if let limit = firstRequestTimeLimit {
            // Cancelled by the first request and by the end. Not weak: that would make each later use of `self` dearer.
            firstRequestTimer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
                self.finish(.idle, answering: false)
            }
        }
        drain()
        flush()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        isReading = true
        var bytes = unwrapInboundIn(data)
        // A request in two pieces is put together alone; what follows it in the new bytes is read where it is.
        while inbound.readableBytes > 0, mayProceed, end == nil,
            var piece = bytes.readSlice(length: min(decoder.missingBytes, bytes.readableBytes)),
            piece.readableBytes > 0
        {
            inbound.writeBuffer(&piece)
            drain()
        }
        guard end == nil, bytes.readableBytes > 0 else { return }
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeBuffer(&bytes)
        }
        drain()
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush()
        context.fireChannelReadComplete()
    }

    /// Holds back reads while the importer does not read: its requests then wait in its own socket buffer.
    public func read(context: ChannelHandlerContext) {
        if mayProceed {
            context.read()
        } else {
            holdsRead = true
        }
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        mayProceed = context.channel.isWritable
        if mayProceed {
            drain()
            flush()
            if holdsRead, mayProceed {
                holdsRead = false
                context.read()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNRESET || error.errnoCode == EPIPE {
            finish(.importerReset, answering: false)
        } else {
            finish(.link(String(describing: error)), answering: false)
        }
    }

    public func channelInactive(context: ChannelHandlerContext) {
        finish(.importerClosed, answering: false)
        context.fireChannelInactive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        finish(.importerClosed, answering: false)
        mayProceed = false
        self.context = nil
    }

    // MARK: Reading

    /// Whether the importer takes what we send; if not, nothing more is asked of the device.
    /// Asked for each request, so the channel's own answer is kept.
    @exclusivity(unchecked) private var mayProceed = false

    private func drain() {
        // A handler may come back here through a completion; the loop that is running goes on.
        guard !isDraining else { return }
        isDraining = true
        port.beginBatch()
        defer {
            port.endBatch()
            isDraining = false
        }
        // Out of reach of what a request may do to the session, its end included.
        var bytes = inbound
        inbound = ByteBuffer()
        let count = bytes.withUnsafeReadableBytes { handleAll($0) }
        bytes.moveReaderIndex(forwardBy: count)
        guard end == nil, bytes.readableBytes > 0 else { return }
        if count == 0 {
            inbound = bytes
        } else {
            // Never the whole of a read buffer for the sake of its tail.
            inbound.writeBuffer(&bytes)
        }
    }

    /// Requests of one read whose replies go out in a write of their own: the importer then reads them and asks anew while
    /// the rest is worked on, instead of each waiting for the other. Measured with 32 URBs of 512 bytes in flight: about
    /// a sixth more of them a second than with one write; first writes of 4 or 8 were less steady. Requests that are large
    /// by themselves are answered in smaller groups.
    private static let requestsOfFirstWrite = 16

    /// Handles requests while the importer takes the answers; returns how many bytes they were.
    private func handleAll(_ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        var count = 0
        // The bytes up to there have their answers on the way.
        var answered = 0
        do {
            while end == nil, mayProceed {
                guard
                    let request = try decoder.next(
                        in: bytes, at: &offset, isIsochronous: { [endpoints] in endpoints.isIsochronous($0) })
                else { break }
                if !hasRequests { sawFirstRequest() }
                try handle(request)
                count += 1
                if count == Self.requestsOfFirstWrite || offset - answered >= limits.writeBatch {
                    flush()
                    answered = offset
                }
            }
        } catch {
            finish(.refused(error), answering: false)
        }
        return offset
    }

    private func sawFirstRequest() {
        hasRequests = true
        firstRequestTimer?.cancel()
        firstRequestTimer = nil
    }

    private func refreshEndpoints() {
        endpoints = EndpointMasks(port.firmware.enumeration(at: speed))
    }

    /// Milliseconds, which is frames, of the loop's clock.
    var frameNumber: Int32 {
        guard let context else { return 0 }
        return Int32(truncatingIfNeeded: context.eventLoop.now.uptimeNanoseconds / 1_000_000) & .max
    }

    // MARK: Writing

    /// To be called after each reply, while a read cycle gathers them.
    func flushWhenFull() {
        if outgoing.readableBytes + staged.count >= limits.writeBatch { flush() }
    }

    /// One write for all that has gathered.
    private func flush() {
        staged.move(into: &outgoing)
        let count = outgoing.readableBytes
        guard count > 0, let context else { return }
        var sent = outgoing
        // Taken out first: the write may call back for more.
        outgoing = spare
        spare = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(sent), promise: nil)
        // The memory is used again, unless it has become much too large.
        guard end == nil, sent.storageCapacity <= max(4096, 4 * count) else { return }
        sent.clear()
        spare = sent
    }

    /// Completions that come outside a read cycle often come several in a turn of the loop; one write takes them all.
    func flushUnlessReading() {
        guard !isReading, !isFlushScheduled, outgoing.readableBytes + staged.count > 0, let context else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    // MARK: The end

    /// The end of the session, however it comes: the device is out, nothing more is sent.
    ///
    /// - Parameter answering: tell the importer of each pending URB that its device is gone.
    private func finish(_ reason: SessionEnd, answering: Bool) {
        guard end == nil, !isFinishing else { return }
        isFinishing = true
        if !answering { end = reason }
        firstRequestTimer?.cancel()
        firstRequestTimer = nil
        if isConnected {
            isConnected = false
            port.disconnect()
        }
        end = reason
        urbs = TransferSlots()
        pendingBytes = 0
        inbound = ByteBuffer()
        flush()
        outgoing = ByteBuffer()
        staged.discard()
        context?.close(promise: nil)
        onEnd(reason)
    }

    private var isFinishing = false
}

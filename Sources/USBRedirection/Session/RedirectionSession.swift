import Glibc
import Logging
import NIOCore
import USBCore
import USBDevice

/// One usbredir link to a VM: the host side, which offers the device behind a `DevicePort` to QEMU.
///
/// A channel handler over `ByteBuffer`, confined to its channel's event loop, which must be the port's too. Of the device
/// it knows the port only. Bulk streams are refused.
public final class RedirectionSession: ChannelDuplexHandler, TransferHost {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = Never
    public typealias OutboundIn = Never
    public typealias OutboundOut = ByteBuffer

    /// Where a link stands.
    public enum State: Equatable, Sendable {
        /// Our hello is out; a paused VM answers when it runs again, however late.
        case awaitingHello
        /// Hello exchanged, no device in the VM.
        case detached
        case connected
        /// device_disconnect is out, the acknowledgement is not in.
        case awaitingAcknowledgement(thenConnect: Bool)
        /// Between device_disconnect and device_connect towards a peer that does not acknowledge.
        case delayingConnect
        case closed
    }

    /// Requests of a guest that may be pending at once; the port's other transfers are kept for interrupt streams.
    public static let maximumRequests = DevicePort.maximumPendingTransfers - InterruptStream.maximumCount

    public let port: DevicePort
    public let speed: Speed
    public let limits: RedirectionLimits
    public internal(set) var state = State.awaitingHello
    /// What the peer and we both offer; nil before hello.
    public var capabilities: Capabilities? { encoder.capabilities }

    let logger: Logger
    private let version: String
    /// QEMU pipelines bulk IN towards a host that offers 32-bit bulk lengths, and only towards such a host.
    private let offered: Capabilities
    private let onEvent: (RedirectionEvent) -> Void
    // What each packet touches is exempt from run-time exclusivity checks: everything is on one loop, and nothing
    // outside is called while it is accessed.
    @exclusivity(unchecked) private var decoder: PacketDecoder
    @exclusivity(unchecked) private var encoder = PacketEncoder()
    @exclusivity(unchecked) private var inbound = ByteBuffer()
    @exclusivity(unchecked) private var outgoing = ByteBuffer()
    private(set) var context: ChannelHandlerContext?

    /// Connect as soon as the peer has said hello.
    private var wantsDevice = true
    private var failure: RedirectionError?
    private var reconnectTimer: Scheduled<Void>?
    @exclusivity(unchecked) private var isReading = false
    @exclusivity(unchecked) private var isDraining = false
    @exclusivity(unchecked) private var isFlushScheduled = false
    private var holdsRead = false
    private var isRemovingDevice = false

    @exclusivity(unchecked) var pending = TransferSlots<PendingRequest>()
    @exclusivity(unchecked) var guestIDs = GuestIDFilter()
    @exclusivity(unchecked) var pendingBytes = 0
    var streams: [Int: InterruptStream] = [:]
    var isochronousStreams: [Int: IsochronousStream] = [:]
    var quiet = ControlQuiet()
    /// Set while a device that shall be enumerated anew waits for a good moment.
    var quietTimer: Scheduled<Void>?
    @exclusivity(unchecked) var endpoints: [Int: AnnouncedEndpoint] = [:]

    /// - Parameters:
    ///   - speed: what the VM's controller can do and the device has descriptors for.
    ///   - pipelinesBulkIn: whether QEMU may have several bulk IN packets of an endpoint under way. Behind xHCI each is
    ///     a transfer of its own. Behind EHCI, UHCI and OHCI a short packet makes QEMU cancel those after it, whose data
    ///     may be on its way already and is then lost (QEMU, USB packet combining).
    ///   - onEvent: called on the event loop, in order.
    public init(
        port: DevicePort, speed: Speed, pipelinesBulkIn: Bool = true, limits: RedirectionLimits = RedirectionLimits(),
        version: String = "2Virt",
        logger: Logger, onEvent: @escaping (RedirectionEvent) -> Void
    ) {
        self.port = port
        self.speed = speed
        self.limits = limits
        self.version = version
        offered = pipelinesBulkIn ? .offeredByHost : Capabilities.offeredByHost.subtracting(.bulkLength32Bit)
        self.logger = logger
        self.onEvent = onEvent
        decoder = PacketDecoder(sender: .guest, limits: limits.packets)
    }

    // MARK: What the owner calls, on the event loop

    /// Takes the device out of the VM; the link stays.
    public func disconnectDevice() {
        wantsDevice = false
        switch state {
        case .connected: detach(.unplugged, thenConnect: false)
        case .awaitingAcknowledgement: state = .awaitingAcknowledgement(thenConnect: false)
        case .delayingConnect:
            cancelReconnect()
            state = .detached
        case .awaitingHello, .detached, .closed: break
        }
        flushUnlessReading()
    }

    /// Puts the device into the VM, taking it out before when it is in: the guest enumerates it anew.
    ///
    /// What is in leaves between two questions of the guest (``ControlQuiet``), not at once.
    public func reconnectDevice() {
        wantsDevice = true
        switch state {
        case .connected: reconnectWhenQuiet()
        case .awaitingAcknowledgement: state = .awaitingAcknowledgement(thenConnect: true)
        case .detached: connect()
        case .awaitingHello, .delayingConnect, .closed: break
        }
        flushUnlessReading()
    }

    // MARK: TransferHost

    public func port(_ port: DevicePort, completed completion: TransferCompletion) {
        if let ended = pending.remove(completion.id) {
            if ended.isGuests {
                guestIDs.remove(ended.id)
                pendingBytes -= ended.request.cost
            }
            reply(to: ended, with: completion)
        }
        flushUnlessReading()
    }

    public func portWantsReconnect(_ port: DevicePort) {
        guard wantsDevice else { return }
        reconnectDevice()
    }

    // MARK: Channel

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start() }
    }

    public func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    private var hasStarted = false

    private func start() {
        guard !hasStarted else { return }
        hasStarted = true
        onEvent(.linkOpened)
        send(0, .hello(Hello(version: version, capabilities: offered)))
        flush()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return }
        isReading = true
        var bytes = unwrapInboundIn(data)
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

    /// Holds back reads while the peer does not read: its requests then wait in its own socket buffer.
    public func read(context: ChannelHandlerContext) {
        if mayProceed {
            context.read()
        } else {
            holdsRead = true
        }
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { resume() }
        context.fireChannelWritabilityChanged()
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNRESET || error.errnoCode == EPIPE {
            // QEMU went with something still unread, as it does on device_del: an end like any other.
            logger.debug("usbredir link: \(error)")
            finish()
            context.close(promise: nil)
            return
        }
        fail(.link(String(describing: error)))
    }

    public func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    // MARK: Reading

    /// Whether the peer takes what we send; if not, nothing more is asked of the device.
    var mayProceed: Bool {
        guard let context else { return false }
        return context.channel.isWritable
    }

    private func drain() {
        // A handler may come back here through a completion; the loop that is running goes on.
        guard !isDraining else { return }
        isDraining = true
        port.beginBatch()
        defer {
            port.endBatch()
            isDraining = false
        }
        while state != .closed, mayProceed {
            do {
                guard let message = try decoder.next(from: &inbound) else { break }
                handle(message)
            } catch {
                fail(error)
                return
            }
        }
        if inbound.readableBytes == 0 {
            inbound = ByteBuffer()
        } else if inbound.readerIndex > 64 << 10 {
            inbound.discardReadBytes()
        }
    }

    private func resume() {
        drain()
        resumeInterruptStreams()
        flush()
        if holdsRead, mayProceed {
            holdsRead = false
            context?.read()
        }
    }

    /// The peer's hello: from here on both sides know the form of every packet.
    func received(_ hello: Hello) {
        guard state == .awaitingHello else {
            logger.warning("usbredir: second hello ignored")
            return
        }
        let inForce = offered.negotiated(with: hello.capabilities)
        decoder.capabilities = inForce
        encoder.capabilities = inForce
        state = .detached
        onEvent(.helloReceived(version: hello.version, capabilities: inForce))
        if wantsDevice, state == .detached { connect() }
    }

    func filterReceived(_ rules: String) {
        onEvent(.filterReceived(rules: rules))
    }

    // MARK: Writing

    func send(_ id: UInt64, _ packet: Packet) {
        guard state != .closed else { return }
        encoder.write(Message(id, packet), to: &outgoing)
        if outgoing.readableBytes >= limits.writeBatch { flush() }
    }

    /// One write for all that has gathered.
    private func flush() {
        guard outgoing.readableBytes > 0, let context else { return }
        let bytes = outgoing
        outgoing = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Completions that come outside a read cycle often come several in a turn of the loop; one write takes them all.
    func flushUnlessReading() {
        guard !isReading, !isFlushScheduled, outgoing.readableBytes > 0, let context else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    func schedule(in delay: TimeAmount, _ body: @escaping () -> Void) -> Scheduled<Void>? {
        context?.eventLoop.assumeIsolated().scheduleTask(in: delay) { body() }
    }

    var now: NIODeadline { context?.eventLoop.now ?? .now() }

    // MARK: Plug and unplug

    private func connect() {
        do {
            try port.connect(to: self, speed: speed)
        } catch .absent {
            port.awaitAttachment(for: self)
            return
        } catch {
            fail(.device(error))
            return
        }
        let announcement = Announcement(port.firmware.enumeration(at: speed))
        endpoints = announcement.endpoints
        state = .connected
        quiet.begins(at: now)
        send(0, .endpointInfo(announcement.endpointInfo))
        send(0, .interfaceInfo(announcement.interfaceInfo))
        send(0, .deviceConnect(announcement.deviceConnect))
        onEvent(.connected(speed))
    }

    /// Ends every transfer with a `cancelled` reply, then says device_disconnect.
    func detach(_ reason: DisconnectReason, thenConnect: Bool) {
        removeDevice()
        guard state == .connected else { return }
        send(0, .deviceDisconnect)
        if capabilities?.contains(.deviceDisconnectAck) ?? false {
            state = .awaitingAcknowledgement(thenConnect: thenConnect)
        } else if thenConnect {
            state = .delayingConnect
            reconnectTimer = schedule(in: limits.reconnectDelay) { [weak self] in self?.connectAfterDelay() }
        } else {
            state = .detached
        }
        onEvent(.disconnected(reason))
    }

    private func connectAfterDelay() {
        reconnectTimer = nil
        guard state == .delayingConnect else { return }
        state = .detached
        connect()
        flush()
    }

    private func cancelReconnect() {
        reconnectTimer?.cancel()
        reconnectTimer = nil
    }

    func acknowledged() {
        guard case .awaitingAcknowledgement(let thenConnect) = state else { return }
        state = .detached
        if thenConnect { connect() }
    }

    /// filter_reject: the VM has thrown the device out by itself, so it is owed no device_disconnect.
    func rejected() {
        guard state == .connected else { return }
        wantsDevice = false
        removeDevice()
        guard state == .connected else { return }
        state = .detached
        onEvent(.rejected)
    }

    private func removeDevice() {
        // A write may fail, and end the link, while the replies go out.
        guard !isRemovingDevice else { return }
        isRemovingDevice = true
        defer { isRemovingDevice = false }
        endQuiet()
        stopStreams { _ in true }
        port.disconnect()
        endpoints = [:]
    }

    /// Closes the link for `error`.
    func fail(_ error: RedirectionError) {
        guard state != .closed else { return }
        failure = failure ?? error
        logger.error("\(error)")
        let context = context
        flush()
        finish()
        context?.close(promise: nil)
    }

    /// The end of the link, however it came: the device is out of the VM, nothing more is sent.
    private func finish() {
        guard state != .closed else { return }
        let hadDevice = state == .connected
        state = .closed
        cancelReconnect()
        if hadDevice { removeDevice() }
        pending = TransferSlots()
        guestIDs = GuestIDFilter()
        pendingBytes = 0
        inbound = ByteBuffer()
        outgoing = ByteBuffer()
        onEvent(.linkClosed(failure))
    }
}

import NIOCore
import NIOPosix
import USBCore
import USBDevice

/// One raw TCP or UNIX connection of the host as a vendor-specific character device, as the first system had it:
/// FF/FF/FF, bulk IN 0x81, bulk OUT 0x02.
///
/// The connection is opened when the guest sets the configuration and closed when it ends. When the server ends it, the
/// guest gets what had come, then both endpoints stall; clearing one of them opens the next connection. While nobody
/// answers the guest waits (NAK).
public final class USBCharFunction: Function {
    /// Bytes on their way to the guest above which the connection is not read.
    static let unsentLimit = 65536
    private static let handOver = 16384
    private static let retryDelay = TimeAmount.seconds(2)
    private static let connectTimeout = TimeAmount.seconds(10)

    private enum State {
        /// No guest has the device in use.
        case idle
        case connecting
        case connected(SerialLink)
        /// The server has ended it; the guest still takes what had come.
        case draining
        /// Endpoints stall until the guest clears one.
        case stalled
        /// Nobody answered.
        case waiting(Scheduled<Void>)
    }

    public let name: String
    public let kind = "usb-char"
    public let backend: String

    private let endpoint: Upstream.Endpoint
    private let eventLoop: any EventLoop
    private var context: (any FunctionContext)?
    private var state = State.idle
    /// Of connections: what an earlier one has to say is not listened to.
    private var generation = 0
    private var unsent = ByteBuffer()
    private var isPumpingIn = false
    private var isPumpingOut = false
    private var hasTrouble = false

    init(service: ByteService, eventLoop: any EventLoop) {
        name = service.name
        backend = service.text
        endpoint = service.endpoint
        self.eventLoop = eventLoop
    }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let vendor = ClassCode(0xFF, 0xFF, 0xFF)
        return FunctionDeclaration(
            classCode: vendor,
            interfaces: [
                InterfaceDeclaration(
                    classCode: vendor,
                    endpoints: [
                        EndpointDeclaration(.bulkIn, .in, .bulk, wishedNumber: 1),
                        EndpointDeclaration(.bulkOut, .out, .bulk, wishedNumber: 2),
                    ])
            ], compatibleID: "WINUSB")
    }

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() { connect() }

    public func deactivate() { end() }

    public func shutdown() {
        end()
        context = nil
    }

    public func endpointReady(_ endpoint: EndpointKey) {
        if case .stalled = state { connect() }
        if endpoint == .bulkIn { pumpIn() } else { pumpOut() }
    }

    // MARK: The connection

    private func connect() {
        generation += 1
        let generation = generation
        state = .connecting
        let link = SerialLink(
            SerialLink.Events(
                active: { _ in },
                received: { [weak self] in self?.unsent.writeImmutableBuffer($0) },
                readCompleted: { [weak self] in self?.pumpIn() },
                writable: { [weak self] in self?.pumpOut() },
                inputClosed: { _ in },
                inactive: { [weak self] _, error in self?.lost(generation, error) }))
        let bound = NIOLoopBound(link, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .connectTimeout(Self.connectTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
        let connection =
            switch endpoint {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connection.map { _ in }.assumeIsolated().whenComplete { [weak self] result in
            guard let self, generation == self.generation, case .connecting = state else {
                link.close()
                return
            }
            connected(link, result)
        }
    }

    private func connected(_ link: SerialLink, _ result: Result<Void, any Error>) {
        switch result {
        case .success:
            state = .connected(link)
            tell(trouble: nil)
            context?.report(.note(interface: name, "connected"))
            pumpOut()
            pumpIn()
        case .failure(let error):
            tell(trouble: "\(backend): \(error)")
            state = .waiting(
                eventLoop.assumeIsolated().scheduleTask(in: Self.retryDelay) { [weak self] in self?.connect() })
        }
    }

    private func lost(_ generation: Int, _ error: (any Error)?) {
        guard generation == self.generation, case .connected = state else { return }
        context?.report(.note(interface: name, "connection ended" + (error.map { ": \($0)" } ?? "")))
        state = .draining
        pumpIn()
    }

    /// The guest has gone, or lets go.
    private func end() {
        generation += 1
        switch state {
        case .connected(let link): link.close()
        case .waiting(let retry): retry.cancel()
        default: break
        }
        state = .idle
        unsent.clear()
    }

    private func tell(trouble: String?) {
        guard hasTrouble || trouble != nil else { return }
        hasTrouble = trouble != nil
        context?.report(.trouble(interface: name, trouble))
    }

    // MARK: Bytes

    private func pumpIn() {
        guard !isPumpingIn, let context, context.isActive else { return }
        isPumpingIn = true
        defer { isPumpingIn = false }
        while unsent.readableBytes > 0, context.queuedBytes(.bulkIn) < Self.handOver,
            let bytes = unsent.readBytes(length: min(unsent.readableBytes, Self.handOver))
        {
            context.write(bytes, to: .bulkIn, endOfMessage: false)
        }
        unsent.discardReadBytes()
        let waiting = unsent.readableBytes + context.queuedBytes(.bulkIn)
        switch state {
        case .connected(let link) where waiting < Self.unsentLimit: link.read()
        case .draining where waiting == 0:
            state = .stalled
            context.halt(.bulkIn)
            context.halt(.bulkOut)
        default: break
        }
    }

    private func pumpOut() {
        guard !isPumpingOut, let context else { return }
        isPumpingOut = true
        defer { isPumpingOut = false }
        while case .connected(let link) = state, link.isWritable, let bytes = context.read(.bulkOut) {
            if !bytes.isEmpty { link.write(ByteBuffer(bytes: bytes)) }
        }
    }
}

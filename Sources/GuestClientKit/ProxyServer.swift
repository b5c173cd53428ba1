import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// The local server in front of a device: HTTP/1.1, or plain connections to a byte service. One event loop serves all connections; one thread moves USB bytes.
public final class ProxyServer {
    public struct Options: Sendable {
        public var listen: ProxyAddress
        /// The service that requests are addressed to; nil: the interface's name.
        public var service: String?
        /// How long a request waits for a device that is away, in seconds.
        public var patience: Double
        /// The service is a byte service; without it the device says what its interface's own service is.
        public var isByteService: Bool

        public init(
            listen: ProxyAddress, service: String? = nil, patience: Double = 10, isByteService: Bool = false
        ) {
            self.listen = listen
            self.service = service
            self.patience = patience
            self.isByteService = isByteService
        }
    }

    private let options: Options
    private let transport: any PipeTransport
    private let report: @Sendable (String) -> Void
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let pump = NIOThreadPool(numberOfThreads: 1)
    private let stopSignal: StopSignal

    public init(
        transport: any PipeTransport, options: Options, report: @escaping @Sendable (String) -> Void
    ) throws(GuestError) {
        self.transport = transport
        self.options = options
        self.report = report
        stopSignal = try StopSignal()
    }

    /// Opens the device (unless `first` is nil: then waits for one in the background), binds, serves.
    /// Returns the address with the port that was given.
    public func start(first: (any PipeSession)?) throws(GuestError) -> ProxyAddress {
        let loop = group.next()
        let patience = TimeAmount.milliseconds(Int64(min(max(options.patience, 0), 86400) * 1000))
        let (service, expected) = (options.service, first?.service)
        let bound: ProxyAddress
        let link: NIOLoopBound<DeviceLink>
        do {
            link = try loop.submit {
                NIOLoopBound(
                    DeviceLink(eventLoop: loop, patience: patience, service: service, expected: expected),
                    eventLoop: loop)
            }.wait()
            bound = try bind(link, loop)
        } catch {
            throw .failed(Self.bindFailure(options.listen, error))
        }
        let supervisor = LinkSupervisor(
            transport: transport, link: link, eventLoop: loop, stop: stopSignal, report: report)
        let box = FirstSession(session: first)
        pump.start()
        pump.submit { _ in supervisor.run(first: box.session) }
        onStop = { loop.execute { link.value.shutdown() } }
        return bound
    }

    private var onStop: () -> Void = {}

    private func bind(_ link: NIOLoopBound<DeviceLink>, _ loop: any EventLoop) throws -> ProxyAddress {
        let (isByteService, report) = (options.isByteService, report)
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard !isByteService, !link.value.isByteService else {
                        try channel.pipeline.syncOperations.addHandler(LocalTunnel(link: link.value, report: report))
                        return
                    }
                    var encoder = HTTPResponseEncoder.Configuration()
                    // HeaderTranslation frames: it knows the request.
                    encoder.automaticallySetFramingHeaders = false
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withEncoderConfiguration: encoder)
                    try channel.pipeline.syncOperations.addHandler(RequestHandler(link: link.value))
                }
            }
        switch options.listen {
        case .tcp(let host, let port):
            let channel = try bootstrap.bind(to: SocketAddress(ipAddress: host, port: port)).wait()
            return .tcp(host: host, port: channel.localAddress?.port ?? port)
        case .unix(let path):
            _ = try bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
            return .unix(path: path)
        }
    }

    private static func bindFailure(_ address: ProxyAddress, _ error: any Error) -> String {
        guard let error = error as? IOError else { return "cannot listen on \(address): \(error)" }
        let hint = error.errnoCode == EADDRNOTAVAIL ? " (is the loopback interface up? 'ip link set lo up')" : ""
        return "cannot listen on \(address): \(errorText(error.errnoCode))\(hint)"
    }

    /// Ends every connection and the device's session; returns when all is closed.
    public func stop() throws(GuestError) {
        // First the signal: the end of the connection must not look like a reason to open a new one.
        stopSignal.stop()
        onStop()
        do {
            // Waits for the supervisor's thread, which closes the device's session.
            try pump.syncShutdownGracefully()
            try group.syncShutdownGracefully()
        } catch {
            throw .failed("stopping: \(error)")
        }
        if case .unix(let path) = options.listen { unlink(path) }
    }
}

/// Carries the first session to the supervisor's thread, its only user from then on.
private struct FirstSession: @unchecked Sendable {
    var session: (any PipeSession)?
}

import Glibc
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import USBCore
import USBDevice
import USBIPCodec

/// Offers devices to USB/IP importers on any number of listeners.
///
/// Its own sockets live on the group's loops; once imported, a device is served on its own loop.
public final class Exporter: Sendable {
    /// Gets a connection whose first byte is `{`: no USB/IP but our watch channel of JSON lines.
    ///
    /// Called on the channel's loop; installs handlers, after which the bytes come, the first included. The peer's address
    /// says nothing on UNIX sockets.
    public typealias WatchHandler =
        @Sendable (_ channel: any Channel, _ peer: SocketAddress?, _ listener: ListenAddress) -> EventLoopFuture<Void>

    public let settings: ExporterSettings
    let logger: Logger
    let watch: WatchHandler?
    let state = NIOLockedValueBox(ExporterState())
    private let onEvent: @Sendable (ExporterEvent) -> Void
    private let group: any EventLoopGroup

    /// - Parameters:
    ///   - group: whose loops serve connections until they have imported a device.
    ///   - watch: nil: watch channels are refused.
    ///   - onEvent: called on any thread; must not block.
    public init(
        settings: ExporterSettings, group: any EventLoopGroup, watch: WatchHandler? = nil, logger: Logger,
        onEvent: @escaping @Sendable (ExporterEvent) -> Void
    ) {
        self.settings = settings
        self.group = group
        self.watch = watch
        self.logger = logger
        self.onEvent = onEvent
    }

    // MARK: Listening

    /// Listens on all addresses, or on none when one of them fails.
    ///
    /// - Throws: `ExporterError`.
    public func start() async throws {
        let isFirst = state.withLockedValue { state in
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard isFirst else { throw ExporterError.alreadyStarted }
        for listener in settings.listeners {
            do {
                let channel = try await listen(listener)
                let address = listener.address.inUse(channel.localAddress)
                state.withLockedValue { $0.listeners.append((address, channel)) }
                logger.info("USB/IP: listening on \(address)\(listener.tls == nil ? "" : " with TLS")")
            } catch {
                await stop()
                throw error
            }
        }
    }

    /// The addresses in use, with the ports chosen where a listener's port is 0; empty before `start`.
    public var addresses: [ListenAddress] { state.withLockedValue { $0.listeners.map(\.address) } }

    /// Ends all connections, which unplugs all devices, and all listeners.
    public func stop() async {
        let (listeners, connections, imported) = state.withLockedValue { state in
            defer {
                state.isRunning = false
                state.listeners = []
            }
            return (state.listeners, Array(state.connections.values), Array(state.importers.keys))
        }
        for (address, channel) in listeners {
            // Closing what is closed is the wanted state.
            try? await channel.close()
            if case .unix(let path) = address { unlink(path) }
        }
        for busID in imported { await release(busID: busID, reason: "the exporter stops") }
        for channel in connections { try? await channel.close() }
    }

    private func listen(_ listener: ExporterListener) async throws -> any Channel {
        let tls = try listener.tls.map { try $0.context(for: listener.address) }
        let peerTimeLimit = settings.limits.peerTimeLimit
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // One read at a time: what an importer sends behind its request must stay in the socket.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .tcp = listener.address { try channel.watchForDeadPeer(after: peerTimeLimit) }
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.addHandler(OperationHandler(exporter: self, listener: listener))
                }
            }
        switch listener.address {
        case .unix(let path):
            let descriptor = try UNIXListener.listen(path)
            return try await bootstrap.withBoundSocket(descriptor).get()
        case .tcp(let host, let port):
            do {
                return try await bootstrap.bind(host: host, port: port).get()
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                throw ExporterError.inUse(listener.address.description)
            } catch {
                throw ExporterError.cannotListen(listener.address.description, reason: String(describing: error))
            }
        }
    }

    // MARK: Devices

    /// Offers a device; one of the same bus id is replaced, its importer kept.
    public func publish(_ device: ExportedDevice) {
        state.withLockedValue { $0.devices[device.busID] = device }
    }

    /// Takes a device off the list and out of its importer; returns once it is out.
    public func withdraw(busID: String) async {
        state.withLockedValue { _ = $0.devices.removeValue(forKey: busID) }
        await release(busID: busID, reason: "the device is no longer exported")
    }

    /// Takes a device out of its importer, which sees an unplug; it may be imported again at once.
    ///
    /// - Returns: false when nobody has it.
    @discardableResult
    public func release(busID: String, reason: String) async -> Bool {
        guard let session = state.withLockedValue({ $0.importers[busID]?.session }) else { return false }
        // A loop that has ended has taken its sessions with it.
        return
            (try? await session.eventLoop.submit {
                guard session.value.end == nil else { return false }
                session.value.release(reason)
                return true
            }.get()) ?? false
    }

    // MARK: Importers

    /// Who has the device.
    public func importer(of busID: String) -> ImporterInfo? { state.withLockedValue { $0.importers[busID]?.info } }

    /// Smoothed round-trip time of the importer's socket; nil without importer, or where it is a UNIX socket.
    public func roundTripTime(of busID: String) async -> Duration? {
        guard let channel = state.withLockedValue({ $0.importers[busID]?.channel }),
            let provider = channel as? any SocketOptionProvider, let info = try? await provider.getTCPInfo().get()
        else { return nil }
        return .microseconds(Int64(info.tcpi_rtt))
    }

    /// Measures all importers; each answer is an event.
    public func sampleRoundTrips() async {
        for busID in state.withLockedValue({ $0.importers.keys.sorted() }) {
            if let time = await roundTripTime(of: busID) { onEvent(.roundTrip(busID: busID, time)) }
        }
    }

    /// Connections of all kinds, importers included.
    public var openConnections: Int { state.withLockedValue { $0.connections.count + $0.importers.count } }

    // MARK: What connections report

    func report(_ event: ExporterEvent) { onEvent(event) }

    func refused(_ peer: String, _ reason: String) {
        logger.notice("USB/IP: \(peer) refused: \(reason)")
        onEvent(.refused(peer: peer, reason: reason))
    }

    /// Counts a connection until it closes.
    ///
    /// - Returns: false when there are too many, or the exporter stops.
    func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let maximum = settings.limits.maximumConnections
        let isAdmitted = state.withLockedValue { state in
            guard state.isRunning, state.connections.count + state.importers.count < maximum else { return false }
            state.connections[id] = channel
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { _ in
            self.state.withLockedValue { _ = $0.connections.removeValue(forKey: id) }
        }
        return true
    }

    /// What a peer is shown: devices that it may import and that nobody has.
    func listing(for peer: SocketAddress?, on eventLoop: any EventLoop) -> EventLoopFuture<[ListedDevice]> {
        let devices = state.withLockedValue { state in
            state.devices.values.filter { $0.isAllowed(peer) && state.importers[$0.busID] == nil }
        }.sorted { ($0.busNumber, $0.deviceNumber) < ($1.busNumber, $1.deviceNumber) }
        let looks = devices.map { device in
            device.eventLoop.submit { () -> ListedDevice? in
                let port = device.port.value
                guard let busID = BusID(device.busID), !port.isConnected, port.firmware.isAttached else { return nil }
                return ListedDevice(
                    device, busID: busID, enumeration: port.firmware.enumeration(at: device.speed))
            }
        }
        return EventLoopFuture.whenAllComplete(looks, on: eventLoop).map { results in
            results.compactMap { (try? $0.get()) ?? nil }
        }
    }
}

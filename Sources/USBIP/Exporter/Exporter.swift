import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Offers devices to USB/IP importers on any number of listeners.
///
/// Its own sockets live on the group's loops; once imported, a device is served on its own loop.
public final class Exporter: Sendable {
    /// Gets a connection whose first byte is `{`: no USB/IP but our watch channel of JSON lines.
    ///
    /// Called on the channel's loop; installs handlers, after which the bytes come, the first included. The peer's address
    /// is nil on UNIX sockets.
    public typealias WatchHandler =
        @Sendable (_ channel: any Channel, _ peer: SocketAddress?, _ listener: ListenAddress) -> EventLoopFuture<Void>

    public let settings: ExporterSettings
    let logger: Logger
    let onEvent: @Sendable (ExporterEvent) -> Void
    private let group: any EventLoopGroup
    private let watch: WatchHandler?

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

    /// Listens on all addresses, or on none when one of them fails.
    public func start() async throws {}

    /// The addresses in use, with the ports chosen where a listener's port is 0; empty before `start`.
    public var addresses: [ListenAddress] { [] }

    /// Ends all connections, which unplugs all devices, and all listeners.
    public func stop() async {}

    /// Offers a device; one of the same bus id is replaced, its importer kept.
    public func publish(_ device: ExportedDevice) {}

    /// Takes a device off the list and out of its importer; returns once it is out.
    public func withdraw(busID: String) async {}

    /// Takes a device out of its importer, which sees an unplug; it may be imported again at once.
    ///
    /// - Returns: false when nobody has it.
    @discardableResult
    public func release(busID: String, reason: String) async -> Bool { false }

    /// Who has the device.
    public func importer(of busID: String) -> ImporterInfo? { nil }

    /// Smoothed round-trip time of the importer's socket; nil without importer, or where it is a UNIX socket.
    public func roundTripTime(of busID: String) async -> Duration? { nil }

    /// Measures all importers; each answer is an event.
    public func sampleRoundTrips() async {}
}

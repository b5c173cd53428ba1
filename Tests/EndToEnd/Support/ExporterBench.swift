import Logging
import NIOCore
import NIOPosix
import SimulatedFirmware
import Synchronization
import USBCore
import USBDevice
import USBIP

/// An exporter with devices and nothing else of the engine.
final class ExporterBench: Sendable {
    let exporter: Exporter
    private let loop: any EventLoop
    private let seen = Mutex<[ExporterEvent]>([])
    private let devices = Mutex<[ExportedDevice]>([])

    private init(listeners: [ExporterListener], watch: WatchDesk?) {
        loop = MultiThreadedEventLoopGroup.singleton.next()
        let inbox = Inbox()
        var handler: Exporter.WatchHandler?
        if let watch { handler = { channel, _, _ in watch.serve(channel) } }
        exporter = Exporter(
            settings: ExporterSettings(listeners: listeners), group: MultiThreadedEventLoopGroup.singleton,
            watch: handler,
            logger: Logger(label: "exporter", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { event in inbox.take(event) }
        inbox.bench.withLock { $0 = self }
    }

    /// Carries events to the bench, which the exporter is made before.
    private final class Inbox: Sendable {
        let bench = Mutex<ExporterBench?>(nil)
        func take(_ event: ExporterEvent) { bench.withLock { $0 }?.seen.withLock { $0.append(event) } }
    }

    /// Listens on a port of 127.0.0.1, runs `body`, and takes everything down.
    static func use(
        tls: ExporterTLS? = nil, watch: WatchDesk? = nil, _ body: (ExporterBench) async throws -> Void
    ) async throws {
        let bench = ExporterBench(
            listeners: [ExporterListener(address: .tcp(host: "127.0.0.1", port: 0), tls: tls)], watch: watch)
        try await bench.exporter.start()
        do {
            try await body(bench)
        } catch {
            let events = bench.events.suffix(10).map { "\($0)" }.joined(separator: "\n")
            await bench.stop()
            throw LabEnvironment.Failure(description: "\(error)\n--- exporter\n\(events)")
        }
        await bench.stop()
    }

    var port: Int {
        for case .tcp(_, let port) in exporter.addresses { return port }
        return 0
    }

    /// The exporter's address as a guest with QEMU's user network sees it.
    var address: String { "10.0.2.2:\(port)" }

    var events: [ExporterEvent] { seen.withLock { $0 } }

    /// How often somebody got the device.
    func attachments(of device: ExportedDevice) -> Int {
        events.count { if case .importerAttached(device.busID, _) = $0 { true } else { false } }
    }

    func refusals() -> [String] {
        events.compactMap { if case .refused(_, let reason) = $0 { reason } else { nil } }
    }

    /// Makes a device and offers it; it lives on one loop.
    @discardableResult
    func add(_ name: String, _ interfaces: [InterfaceSpec], speed: Speed = .high) async throws -> ExportedDevice {
        let number = UInt16(devices.withLock { $0.count } + 1)
        let loop = loop
        let logger = Logger(label: name, factory: { _ in SwiftLogNoOpLogHandler() })
        let port = try await loop.submit {
            let functions = try interfaces.map { try Catalogue.makeFunction($0, eventLoop: loop, logger: logger) }
            let device = try SimulatedDevice(
                identity: DeviceIdentity(product: name, serialNumber: name), functions: functions, speeds: [speed])
            device.frameClock = EventLoopFrameClock(loop)
            return NIOLoopBound(DevicePort(firmware: device), eventLoop: loop)
        }.get()
        let device = ExportedDevice(
            name: name, deviceNumber: number, eventLoop: loop, port: port, speed: speed)
        devices.withLock { $0.append(device) }
        exporter.publish(device)
        return device
    }

    private func stop() async {
        await exporter.stop()
        for device in devices.withLock({ $0 }) {
            _ = try? await loop.submit { (device.port.value.firmware as? SimulatedDevice)?.shutdown() }.get()
        }
    }
}

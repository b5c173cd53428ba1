import Logging
import NIOCore
import NIOPosix
import USBDevice
import USBIP

/// What the engine runs for exported devices: exporter, sessions, ports, simulated devices and traffic recorders.
final class ExportServer: Sendable {
    let port: UInt16
    let busIDs: [String]
    private let exporter: Exporter
    private let devices: [NIOLoopBound<LoopDevice>]

    /// - Parameters:
    ///   - count: devices, each with a loop of the group in turn.
    ///   - blockSize: bytes of an IN transfer.
    static func start(devices count: Int, blockSize: Int, on group: MultiThreadedEventLoopGroup) async throws
        -> ExportServer
    {
        let exporter = Exporter(
            settings: ExporterSettings(listeners: [
                ExporterListener(address: .tcp(host: "127.0.0.1", port: 0))
            ]), group: group, logger: Logger(label: "2virt.bench") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in }
        try await exporter.start()
        var devices: [NIOLoopBound<LoopDevice>] = []
        var busIDs: [String] = []
        for index in 0..<count {
            let loop = group.next()
            let device = try await loop.submit {
                NIOLoopBound(try LoopDevice(blockSize: blockSize), eventLoop: loop)
            }.get()
            devices.append(device)
            let port = try await loop.submit { NIOLoopBound(device.value.port, eventLoop: loop) }.get()
            let exported = ExportedDevice(
                name: "loop\(index)", deviceNumber: UInt16(index + 1), eventLoop: loop, port: port, speed: .high)
            exporter.publish(exported)
            busIDs.append(exported.busID)
        }
        guard case .tcp(_, let port)? = exporter.addresses.first else {
            await exporter.stop()
            throw BenchmarkError.environment("the exporter listens nowhere")
        }
        return ExportServer(port: UInt16(port), busIDs: busIDs, exporter: exporter, devices: devices)
    }

    private init(port: UInt16, busIDs: [String], exporter: Exporter, devices: [NIOLoopBound<LoopDevice>]) {
        self.port = port
        self.busIDs = busIDs
        self.exporter = exporter
        self.devices = devices
    }

    func stop() async throws {
        await exporter.stop()
        for device in devices { try await device.eventLoop.submit { device.value.device.shutdown() }.get() }
    }

    /// Bytes that one importer which reads nothing may make the exporter hold: replies up to the high mark, the batch
    /// that crosses it, and the requests of the last reads.
    static var memoryBoundOfAnImporter: Int {
        let limits = SessionLimits()
        return limits.writeBufferHighMark + limits.writeBatch + 3 * SessionLimits.largestRead
    }
}

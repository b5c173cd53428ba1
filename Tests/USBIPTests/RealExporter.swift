import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import USBCore
import USBDevice
import USBIP
import USBIPCodec
import USBIPTestKit

/// An exporter on real sockets, with scripted devices on loops of their own.
final class RealExporter: Sendable {
    let exporter: Exporter
    let group: MultiThreadedEventLoopGroup
    private let log = NIOLockedValueBox<[ExporterEvent]>([])
    private let waiters = NIOLockedValueBox<[@Sendable ([ExporterEvent]) -> Bool]>([])

    var events: [ExporterEvent] { log.withLockedValue { $0 } }
    var refusals: [String] { events.compactMap { if case .refused(_, let reason) = $0 { reason } else { nil } } }

    /// A device that can be reached from any thread, on its loop.
    struct Device: Sendable {
        let exported: ExportedDevice
        let firmware: NIOLoopBound<ScriptedFirmware>

        func onLoop<Value: Sendable>(_ body: @escaping @Sendable (ScriptedFirmware) -> Value) async throws -> Value {
            let firmware = firmware
            return try await exported.eventLoop.submit { body(firmware.value) }.get()
        }
    }

    init(
        listeners: [ExporterListener]? = nil, limits: ExporterLimits = ExporterLimits(), threads: Int = 2,
        watch: Exporter.WatchHandler? = nil
    ) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let log = log
        exporter = Exporter(
            settings: ExporterSettings(
                listeners: listeners ?? [ExporterListener(address: .tcp(host: "127.0.0.1", port: 0))], limits: limits),
            group: group, watch: watch, logger: quietLogger
        ) { event in log.withLockedValue { $0.append(event) } }
        do {
            try await exporter.start()
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    func stop() async throws {
        await exporter.stop()
        try await group.shutdownGracefully()
    }

    var port: Int {
        guard case .tcp(_, let port)? = exporter.addresses.first else { return 0 }
        return port
    }

    /// Publishes a scripted device as `1-<number>`.
    func publish(
        _ name: String, number: UInt16 = 1, speed: Speed = .high, allow: [CIDR] = [],
        prepare: @escaping @Sendable (ScriptedFirmware) -> Void = { _ in }
    ) async throws -> Device {
        let loop = group.next()
        let device = try await loop.submit {
            let firmware = ScriptedFirmware()
            prepare(firmware)
            return Device(
                exported: ExportedDevice(
                    name: name, deviceNumber: number, eventLoop: loop,
                    port: NIOLoopBound(DevicePort(firmware: firmware), eventLoop: loop), speed: speed, allow: allow),
                firmware: NIOLoopBound(firmware, eventLoop: loop))
        }.get()
        exporter.publish(device.exported)
        return device
    }

    /// Waits for what an event or the other thread has yet to bring about.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                throw TimedOut(description: "\(what); events: \(events.suffix(8))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    struct TimedOut: Error, CustomStringConvertible { let description: String }
}

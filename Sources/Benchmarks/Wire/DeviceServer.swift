import Foundation
import Logging
import NIOCore
import NIOPosix
import Traffic
import USBCore
import USBDevice
import USBRedirection

/// What the engine runs for one device: session, port, simulated device and traffic recorder, on a UNIX socket.
final class DeviceServer: Sendable {
    private let loop: any EventLoop
    private let core: NIOLoopBound<Core>

    /// What lives on the loop.
    private final class Core: DevicePortObserver {
        let device: SimulatedDevice
        let port: DevicePort
        let recorder = TrafficRecorder(device: "benchmark")
        let listener: RedirectionListener

        init(blockSize: Int, loop: any EventLoop) throws {
            device = try SimulatedDevice(
                identity: DeviceIdentity(product: "Benchmark", serialNumber: "1"),
                functions: [LoopFunction(blockSize: blockSize)], speeds: [.high])
            port = DevicePort(firmware: device)
            listener = RedirectionListener(
                port: port, speed: .high, eventLoop: loop, logger: Logger(label: "2virt.bench")
            ) { _ in }
            port.tap = recorder
            port.observer = self
        }

        func portDidConnect(_ port: DevicePort, speed: Speed) { configure(speed) }
        func portDidDisconnect(_ port: DevicePort) {}
        func port(_ port: DevicePort, changed change: DeviceChange) {
            if case .configured = change, let speed = port.speed { configure(speed) }
        }

        private func configure(_ speed: Speed) {
            recorder.configure(device.enumeration(at: speed)) { device.functionName(interface: $0) }
        }
    }

    private init(loop: any EventLoop, core: NIOLoopBound<Core>) {
        self.loop = loop
        self.core = core
    }

    static func start(at path: String, blockSize: Int, on loop: any EventLoop) async throws -> DeviceServer {
        let core = try await loop.submit {
            NIOLoopBound(try Core(blockSize: blockSize, loop: loop), eventLoop: loop)
        }.get()
        try await loop.flatSubmit { core.value.listener.listen(unixPath: path) }.get()
        return DeviceServer(loop: loop, core: core)
    }

    func stop() async throws {
        let core = core
        try await loop.flatSubmit { core.value.listener.close() }.get()
        try await loop.submit { core.value.device.shutdown() }.get()
    }
}

import Traffic
import USBCore
import USBDevice

/// A device with one `LoopFunction`, its traffic counted as the engine does. Confined to its loop.
final class LoopDevice: DevicePortObserver {
    let device: SimulatedDevice
    let port: DevicePort
    private let recorder = TrafficRecorder(device: "benchmark")

    init(blockSize: Int) throws {
        device = try SimulatedDevice(
            identity: DeviceIdentity(product: "Benchmark", serialNumber: "1"),
            functions: [LoopFunction(blockSize: blockSize)], speeds: [.high])
        port = DevicePort(firmware: device)
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

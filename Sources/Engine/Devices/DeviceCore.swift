import ControlProtocol
import FirmwareEmulator
import Logging
import NIOCore
import SimulatedFirmware
import Traffic
import USBClasses
import USBCore
import USBDevice
import USBRedirection

/// What a device does: written in Swift, or a firmware image.
enum Behaviour {
    case simulated(SimulatedDevice)
    case emulated(EmulatedFirmware)

    var firmware: any Firmware {
        switch self {
        case .simulated(let device): device
        case .emulated(let firmware): firmware.device
        }
    }
}

/// What a `DeviceHost` owns on its event loop: device, port, recorder, wire.
final class DeviceCore: DevicePortObserver {
    let behaviour: Behaviour
    let port: DevicePort
    let recorder: TrafficRecorder
    var listener: (any Channel)?
    /// Where GDB may come in.
    var debugger: DebuggerServer?

    let logger: Logger
    var link: (channel: any Channel, session: RedirectionSession)?
    /// Number of the plug that the wire belongs to.
    var generation = 0
    private let name: String
    private let signals: SignalInbox

    init(
        _ configuration: DeviceConfiguration, eventLoop: any EventLoop,
        networks: Networks, signals: SignalInbox, logger: Logger
    ) throws {
        name = configuration.name
        self.signals = signals
        var logger = logger
        logger[metadataKey: "device"] = "\(configuration.name)"
        self.logger = logger
        switch configuration.behaviour {
        case .simulated(let interfaces):
            var functions: [any Function] = []
            do {
                for interface in interfaces {
                    functions.append(
                        try InterfaceFactory.make(
                            interface, of: configuration.name, networks: networks, eventLoop: eventLoop,
                            logger: logger))
                }
            } catch {
                // Those that were made let go of their networks and backends.
                for function in functions { function.shutdown() }
                throw error
            }
            let speeds: Set<Speed> = configuration.speed.map { [$0] } ?? [.full, .high, .super]
            let device = try SimulatedDevice(
                identity: DeviceHost.identity(of: configuration), functions: functions, speeds: speeds)
            guard !device.speeds.isEmpty else {
                throw DeviceCoreError.impossibleSpeed(configuration.speed?.name ?? "")
            }
            device.frameClock = EventLoopFrameClock(eventLoop)
            behaviour = .simulated(device)
        case .emulated(let image, let board, let flash, _, let uart):
            behaviour = .emulated(
                try EmulatedFirmware(
                    name: configuration.name, image: image, board: board, flash: flash, uart: uart,
                    eventLoop: eventLoop, logger: logger))
        }
        port = DevicePort(firmware: behaviour.firmware)
        recorder = TrafficRecorder(device: configuration.name)
        recorder.decoder = TransferDecoding()
        port.tap = recorder
        port.observer = self
    }

    // MARK: Device

    var simulated: SimulatedDevice? {
        if case .simulated(let device) = behaviour { device } else { nil }
    }

    var emulated: EmulatedDevice? {
        if case .emulated(let firmware) = behaviour { firmware.device } else { nil }
    }

    func shutdown() {
        switch behaviour {
        case .simulated(let device): device.shutdown()
        case .emulated(let firmware): firmware.shutdown()
        }
    }

    /// After `shutdown`: calls `body` once everything taken from the guest is where it belongs.
    func whenDrained(_ body: @escaping () -> Void) {
        if let simulated { simulated.whenDrained(body) } else { body() }
    }

    func portDidConnect(_ port: DevicePort, speed: Speed) {
        configureRecorder(at: speed)
    }

    private func configureRecorder(at speed: Speed) {
        recorder.configure(port.firmware.enumeration(at: speed)) {
            if let simulated { simulated.functionName(interface: $0) } else { EmulatorReport.name($0) }
        }
    }

    func portDidDisconnect(_ port: DevicePort) {}

    func port(_ port: DevicePort, changed change: DeviceChange) {
        switch change {
        case .enumerating: signal(.enumerating)
        case .configured(let value):
            if let speed = port.speed { configureRecorder(at: speed) }
            signal(.configured(value))
        case .releaseRequested(let interface): signal(.releaseRequested(interface))
        case .ejected(let interface): signal(.ejected(interface))
        case .mediumInUse(let interface, let isInUse): signal(.mediumInUse(interface: interface, isInUse))
        case .trouble(let interface, let text): signal(.trouble(interface: interface, text))
        case .note(let interface, let text): signal(.note(interface: interface, text))
        }
    }

    func signal(_ kind: DeviceSignal.Kind) {
        signals.post(DeviceSignal(device: name, generation: generation, kind: kind))
    }

    // MARK: Looking

    func report() -> DeviceReport {
        var report = DeviceReport()
        report.counters = recorder.counters()
        if let emulated {
            var emulator = EmulatorReport(emulated)
            for index in emulator.interfaces.indices {
                emulator.interfaces[index].counters = recorder.counters(interface: emulator.interfaces[index].name)
            }
            report.emulator = emulator
        }
        guard let device = simulated else { return report }
        for function in device.functions {
            report.interfaces[function.name] = DeviceReport.Interface(
                number: device.interfaceNumber(of: function.name), backend: function.backend,
                endpoints: device.endpointSummaries(of: function.name).map {
                    DeviceReport.EndpointReport(
                        address: $0.address.rawValue, type: $0.type.name, maxPacketSize: $0.maxPacketSize,
                        halted: $0.isHalted, pending: $0.pending)
                }, counters: recorder.counters(interface: function.name))
        }
        return report
    }

    /// nil when there is no such interface.
    func traffic(interface: String?, after sequence: UInt64) -> TrafficView? {
        if let interface, !hasInterface(interface) { return nil }
        return recorder.view(selector: interface, after: sequence, limit: 500)
    }

    private func hasInterface(_ name: String) -> Bool {
        switch behaviour {
        case .simulated(let device): device.gate(of: name) != nil
        case .emulated(let firmware):
            firmware.device.enumeration(at: .full).presentInterfaces.contains {
                EmulatorReport.name($0.interfaceNumber) == name
            }
        }
    }
}

/// Why a device cannot be made.
enum DeviceCoreError: Error, CustomStringConvertible {
    case impossibleSpeed(String)

    var description: String {
        switch self {
        case .impossibleSpeed(let speed):
            "none of its interfaces works at \(speed) speed: bulk endpoints do not exist there; use \"full\" or faster"
        }
    }
}

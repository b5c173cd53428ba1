import ControlProtocol
import Foundation
import Logging
import TestDirectory
import Testing

@testable import Engine
@testable import Hypervisor

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Something did not happen in time.
struct TooLate: Error, CustomStringConvertible {
    let description: String
}

extension EngineSettings {
    /// Quick ones, in a directory.
    static func quick(in directory: TemporaryDirectory) -> EngineSettings {
        var settings = EngineSettings(
            socket: directory.file("e.sock"), stateFile: directory.file("state/state.json"), version: "test")
        settings.settleSeconds = 2
        settings.farewellSeconds = 0.15
        settings.lossSeconds = 0.3
        return settings
    }
}

/// An engine with the devices `desk` (two serial interfaces) and `pad` (one), and VMs that a script plays.
struct Bench {
    static let devices = """
        [[device]]
        name = "desk"
        interfaces = [ { kind = "serial", name = "tty", to = "pty" }, { kind = "serial", name = "log", to = "pty" } ]

        [[device]]
        name = "pad"
        interfaces = [ { kind = "serial", name = "tty", to = "pty" } ]
        """

    let directory: TemporaryDirectory
    let vms: FakeVMs
    let engine: Engine

    init(
        _ vms: FakeVMs, in directory: TemporaryDirectory, devices: String = devices,
        change: (inout EngineSettings) -> Void = { _ in }
    ) throws {
        self.directory = directory
        self.vms = vms
        var settings = EngineSettings.quick(in: directory)
        change(&settings)
        engine = Engine(
            configuration: try ConfigurationReader.read(text: devices, file: "test.toml"), settings: settings,
            hypervisor: vms, logger: quiet)
    }

    /// Runs a body with a started engine and VM `a`, and shuts the engine down afterwards.
    static func run(
        vm names: [String] = ["a"], devices: String = devices, in directory: TemporaryDirectory? = nil,
        change: (inout EngineSettings) -> Void = { _ in }, _ body: (Bench) async throws -> Void
    ) async throws {
        let vms = FakeVMs()
        for name in names { await vms.add(name) }
        let bench = try Bench(
            vms, in: try directory ?? TemporaryDirectory(), devices: devices, change: change)
        try await bench.engine.start()
        do {
            for name in names { try await bench.sees(name) }
            try await body(bench)
        } catch {
            await bench.end()
            throw error
        }
        await bench.end()
    }

    func end() async {
        await engine.shutdown()
        await engine.stopControlLoop()
        await vms.disconnectAll()
    }

    // MARK: Commands

    @discardableResult
    func plug(_ device: String, _ vm: String = "a") async -> Outcome {
        await engine.perform(.plug(device: device, vm: vm, via: .usbredir), actor: "op")
    }

    @discardableResult
    func unplug(_ device: String) async -> Outcome {
        await engine.perform(.unplug(device: device), actor: "op")
    }

    @discardableResult
    func set(_ device: String, _ interface: String, _ gate: GateState) async -> Outcome {
        await engine.perform(.setInterface(device: device, interface: interface, gate: gate), actor: "op")
    }

    // MARK: Looking

    /// One that does not exist has an empty name.
    func device(_ name: String = "desk") async -> DeviceSnapshot {
        await engine.snapshot().device(name)
            ?? DeviceSnapshot(
                name: "", idVendor: 0, idProduct: 0, product: "", serialNumber: "", firmware: .simulated)
    }

    func events(_ kind: String? = nil) async -> [Event] {
        guard case .events(let events) = await engine.perform(.events(after: 0, limit: 5000), actor: "op") else {
            return []
        }
        return events.filter { kind == nil || $0.kind == kind }
    }

    /// Waits until a device is as wanted.
    func reaches(
        _ what: String, _ device: String = "desk", within seconds: Double = 10,
        _ isSatisfied: @escaping @Sendable (DeviceRecord) -> Bool
    ) async throws {
        if await engine.wait(for: device, seconds: seconds, until: isSatisfied) { return }
        throw TooLate(
            description:
                "\(what): not within \(seconds) s; \(await self.device(device)); \(await events().map(\.message))")
    }

    /// Waits until the engine knows a VM.
    func sees(_ vm: String) async throws {
        try await eventually("VM \(vm)") { await engine.vms.contains { $0.name == vm } }
    }
}

/// Looks again and again: for what gives no event.
func eventually(_ what: String, within seconds: Double = 10, _ isTrue: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw TooLate(description: "\(what): not within \(seconds) s") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

extension Outcome {
    var text: String {
        switch self {
        case .done(let text), .failed(let text): text
        case .snapshot, .events: ""
        }
    }

    var isDone: Bool { if case .done = self { true } else { false } }
    var isFailed: Bool { if case .failed = self { true } else { false } }
}

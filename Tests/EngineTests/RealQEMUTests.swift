import ControlProtocol
import Foundation
import TestDirectory
import Testing

@testable import Engine

/// Against a QEMU without a kernel: SeaBIOS takes the device and does not configure it.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct RealQEMUTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func engine() async throws -> Engine {
        var settings = EngineSettings.quick(in: directory)
        settings.settleSeconds = 1.5
        let text = "[[vms]]\nsource = \"qmp-directory\"\npath = \"\(directory.path)\"\n" + Bench.devices
        let engine = Engine(
            configuration: try ConfigurationReader.read(text: text, file: "test.toml"), settings: settings,
            logger: quiet)
        try await engine.start()
        return engine
    }

    func plug(_ engine: Engine) async throws -> Outcome {
        try await eventually("the VM runs", within: 30) { await engine.snapshot().vm("a")?.state == .running }
        return await engine.perform(.plug(device: "desk", vm: "a", via: .usbredir), actor: "op")
    }

    func reaches(
        _ engine: Engine, _ what: String, _ isSatisfied: @escaping @Sendable (DeviceRecord) -> Bool
    ) async throws {
        if await engine.wait(for: "desk", seconds: 30, until: isSatisfied) { return }
        throw TooLate(description: "\(what): \(String(describing: await engine.snapshot().device("desk")))")
    }

    @Test func plugLossReturnRestartAndUnplug() async throws {
        let socket = directory.file("a.qmp")
        let qemu = try QEMU(socket: socket)
        let first = try await engine()
        let outcome = try await plug(first)
        #expect(outcome.text.hasPrefix("desk plugged into a, xhci.0 port 1, "))
        let vm = try #require(await first.snapshot().vm("a"))
        #expect(vm.reason == nil)
        #expect(vm.attached.map(\.device) == ["desk"])
        // Killed: the device waits; another QEMU of that name gets it.
        qemu.kill()
        try await reaches(first, "waiting") { $0.state == .waiting }
        let second = try QEMU(socket: socket)
        try await reaches(first, "plugged again") { $0.state == .plugged && $0.operation == nil }
        // The engine goes and another comes: QEMU still holds the dead one's device.
        await first.shutdown()
        await first.stopControlLoop()
        let next = try await engine()
        try await reaches(next, "plugged by the next engine") { $0.state == .plugged && $0.operation == nil }
        #expect(await next.perform(.unplug(device: "desk"), actor: "op") == .done("desk unplugged from a"))
        #expect(await next.snapshot().vm("a")?.attached.isEmpty == true)
        await next.shutdown()
        await next.stopControlLoop()
        second.kill()
    }
}

/// A real QEMU, ended at the latest with this value.
final class QEMU: @unchecked Sendable {
    static let program = "/usr/bin/qemu-system-x86_64"
    private let process = Process()

    init(socket: String) throws {
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = [
            "-machine", "pc", "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none", "-m", "32",
            "-qmp", "unix:\(socket),server=on,wait=off", "-device", "qemu-xhci,id=xhci",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    func kill() {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    deinit { kill() }
}

import ControlClient
import ControlProtocol
import Engine
import Foundation
import GuestLab
import Logging

/// A booted guest with an engine and one device beside it, which nobody else uses.
struct GuestSite: Sendable {
    static let device = "bench"
    static let vm = "bench-vm"

    let guest: Guest
    let client: ControlClient
    private let engine: Engine
    private let server: ControlServer
    private let serving: Task<Void, any Error>
    private let directory: ScratchDirectory

    /// - Parameters:
    ///   - interface: one entry of the device's `interfaces`, in TOML.
    ///   - speed: as configuration names it.
    ///   - arrange: changes what the guest is made of.
    /// - Throws: also the `apt-get` command that installs what is missing, before anything is started.
    static func start(
        interface: String, speed: String = "high", progress: @escaping @Sendable (String) -> Void,
        arrange: (inout GuestConfiguration) -> Void = { _ in }
    ) async throws -> GuestSite {
        try LabPrerequisites.check()
        let image = try await GuestImageBuilder().build { progress($0.text) }
        let directory = try ScratchDirectory("2virt-bench")
        do {
            let vms = directory.path + "/vms"
            try FileManager.default.createDirectory(
                atPath: vms, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            var configuration = GuestConfiguration(name: vm, image: image, qmpDirectory: vms)
            arrange(&configuration)
            progress("booting Linux \(image.kernelRelease)")
            let guest = try await Guest.boot(configuration)
            do {
                return try await start(guest, directory, interface, speed)
            } catch {
                await guest.shutdown()
                throw error
            }
        } catch {
            // What went wrong is worth more than what its cleaning up would say.
            try? directory.remove()
            throw error
        }
    }

    private static func start(
        _ guest: Guest, _ directory: ScratchDirectory, _ interface: String, _ speed: String
    ) async throws -> GuestSite {
        let socket = directory.path + "/engine.sock"
        let text = """
            [[vms]]
            source = "qmp-directory"
            path = "\(directory.path)/vms"

            [[device]]
            name = "\(device)"
            speed = "\(speed)"
            interfaces = [ \(interface) ]
            """
        let logger = Logger(label: "2virt.bench") { _ in SwiftLogNoOpLogHandler() }
        let engine = Engine(
            configuration: try ConfigurationReader.read(text: text, file: "benchmark"),
            settings: EngineSettings(
                socket: socket, stateFile: directory.path + "/state.json", version: "benchmark"), logger: logger)
        let server = try await ControlServer.bind(socket: socket, engine: engine, logger: logger)
        let serving = Task { try await server.run() }
        do {
            try await engine.start()
            let client = try await ControlClient.connect(to: socket, actor: "benchmark")
            let site = GuestSite(
                guest: guest, client: client, engine: engine, server: server, serving: serving, directory: directory)
            try await site.waitForVM()
            return site
        } catch {
            await stop(engine, server, serving)
            throw error
        }
    }

    /// Returns when the guest has configured the device.
    func plug() async throws {
        try await carryOut(.plug(device: Self.device, vm: Self.vm, via: .usbredir))
    }

    func unplug() async throws { try await carryOut(.unplug(device: Self.device)) }

    func stop() async throws {
        client.close()
        await Self.stop(engine, server, serving)
        await guest.shutdown()
        try directory.remove()
    }

    private static func stop(_ engine: Engine, _ server: ControlServer, _ serving: Task<Void, any Error>) async {
        await server.close()
        await engine.shutdown()
        serving.cancel()
        // It ends with the error of the channel that was just closed under it.
        _ = await serving.result
    }

    private func carryOut(_ command: Command) async throws {
        if case .failed(let reason) = try await client.send(command) { throw BenchmarkError.refused(reason) }
    }

    private func waitForVM() async throws {
        _ = try await client.send(.subscribe(Subscription(snapshots: true)))
        let client = client
        let limit = 20
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await push in client.pushes {
                    guard case .snapshot(let snapshot) = push else { continue }
                    if snapshot.vms.contains(where: { $0.name == Self.vm && $0.state == .running }) { return }
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(limit))
                throw BenchmarkError.timeout(waitingFor: "running VM in the engine's list", seconds: limit)
            }
            try await group.next()
            group.cancelAll()
        }
        // Pictures that nobody looks at would cost time while something is measured.
        _ = try await client.send(.subscribe(Subscription()))
    }
}

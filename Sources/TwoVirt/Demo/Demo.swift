import ControlClient
import ControlProtocol
import Foundation
import GuestLab

/// Everything that a demo runs: a guest, a web service for it, an engine with one device.
struct Demo: Sendable {
    let directory: DemoDirectory
    let guest: Guest
    let web: DemoWebService
    let engine: EngineProcess

    /// Builds what is missing and starts everything; on failure nothing is left running.
    static func start(_ progress: ProgressLine) async throws -> Demo {
        try LabPrerequisites.check()
        let client = try GuestProgram.path()
        progress.show("looking for the demo guest's kernel")
        let image = try await GuestImageBuilder().build { progress.show($0.text, fraction: $0.fraction) }
        try Task.checkCancellation()
        progress.show("choosing the best accelerator that works (tried once, then remembered)")
        let choice = try await AcceleratorProbe(image: image).choose()
        let directory = try DemoDirectory()
        do {
            let web = try await DemoWebService.start()
            do {
                return try await start(progress, image, choice, client, directory, web)
            } catch {
                await web.stop()
                throw error
            }
        } catch {
            do { try directory.remove() } catch { StandardError.write("2virt: \(directory.path): \(error)") }
            throw error
        }
    }

    private static func start(
        _ progress: ProgressLine, _ image: GuestImage, _ choice: AcceleratorChoice, _ client: String,
        _ directory: DemoDirectory, _ web: DemoWebService
    ) async throws -> Demo {
        try directory.writeConfiguration(upstreamPort: web.port)
        let accelerator = choice.accelerator.rawValue.uppercased()
        progress.show("booting Linux \(image.kernelRelease) under \(accelerator)")
        let guest = try await Guest.boot(
            GuestConfiguration(
                name: "demo-vm", image: image, qmpDirectory: directory.vms,
                extraFiles: [GuestFile(path: "/usr/bin/2virt-guest", contents: .hostFile(client))],
                accelerator: choice.accelerator, extraArguments: ["-nic", "none"]))
        do {
            try Task.checkCancellation()
            // What a user of the guest would run: a local port for the service, and a program that uses it.
            try await guest.check(
                """
                2virt-guest proxy --wait --listen 127.0.0.1:8080 >/tmp/proxy.log 2>&1 &
                while sleep 1; do wget -q -O /dev/null http://127.0.0.1:8080/; done >/dev/null 2>&1 &
                """)
            progress.show("starting the engine")
            let launcher = EngineLauncher(
                configuration: directory.configuration, socket: directory.socket, log: directory.log)
            let engine = try await launcher.start()
            progress.finish("demo-vm is up: Linux \(image.kernelRelease), no network card; \(choice.reason)")
            return Demo(directory: directory, guest: guest, web: web, engine: engine)
        } catch {
            await guest.shutdown()
            throw error
        }
    }

    /// Milliseconds that an engine has to end after it was asked to.
    private static let patience: Int32 = 10_000

    /// Ends everything.
    ///
    /// - Returns: what did not end as it should, a sentence each.
    func stop() async -> [String] {
        var problems: [String] = []
        do {
            let client = try await ControlClient.connect(to: directory.socket, actor: OperatorName.current)
            _ = try await client.send(.shutdown)
            client.close()
        } catch {
            problems.append("the demo's engine was not asked to end: \(error)")
            engine.kill()
        }
        if await engine.end(within: Self.patience) == nil {
            engine.kill()
            problems.append("the demo's engine (pid \(engine.pid)) did not end by itself and was killed")
            if await engine.end(within: Self.patience) == nil { problems.append("it is still there") }
        }
        await guest.shutdown()
        await web.stop()
        do { try directory.remove() } catch { problems.append("\(directory.path) is still there: \(error)") }
        return problems
    }

    /// What the operator can do now, in one line.
    var firstSteps: String {
        "p plugs 'demo' into demo-vm, which then fetches a page a second. Guest shell: \(guest.shellCommand)"
    }
}

import ControlProtocol
import Foundation
import TestDirectory
import Testing

@testable import Engine
@testable import Hypervisor

/// What outlives an engine.
@Suite(.timeLimit(.minutes(1)))
struct RestartTests {
    @Test func theNextEnginePlugsAgainWithTheGatesOfTheLast() async throws {
        let directory = try TemporaryDirectory()
        try await Bench.run(in: directory) { bench in
            #expect(await bench.set("desk", "log", .off) == .done("desk/log switched off"))
            #expect(await bench.set("pad", "tty", .muted).isDone)
            #expect(await bench.plug("desk").isDone)
            #expect(await bench.vms.guest()?.interfaceCounts == [2])
        }
        try await Bench.run(in: directory) { bench in
            try await bench.reaches("plugged again") {
                $0.state == .plugged && $0.guest == .configured && $0.operation == nil
            }
            let device = await bench.device()
            #expect(device.interface("log")?.gate == .off)
            #expect(device.interface("log")?.by == "op")
            #expect(device.interface("tty")?.gate == .on)
            #expect(await bench.device("pad").interface("tty")?.gate == .muted)
            #expect(await bench.device("pad").state == .unplugged)
            // The guest never saw the interface that is off: CDC-ACM is two USB interfaces, two functions are four.
            #expect(await bench.vms.guest()?.interfaceCounts == [2])
            #expect(await bench.events("restored").map(\.message) == ["was plugged into a by op and is plugged again"])
            #expect(await bench.unplug("desk").isDone)
        }
        try await Bench.run(in: directory) { bench in
            #expect(await bench.device().state == .unplugged)
            #expect(await bench.vms.plugCount == 0)
        }
    }

    @Test func anEngineKilledInTheMiddleOfAPlugIsCarriedOn() async throws {
        let directory = try TemporaryDirectory()
        let settings = EngineSettings.quick(in: directory)
        try await Bench.run(in: directory) { bench in
            let (held, release) = AsyncStream.makeStream(of: Void.self)
            await bench.vms.whenPlugging { for await _ in held { return } }
            async let outcome = bench.plug("desk")
            try await eventually("wire") { await bench.vms.plugCount == 1 }
            // This is what SIGKILL would leave behind now.
            guard case .state(let state) = try StateStore(file: settings.stateFile).read() else {
                Issue.record("no state")
                return
            }
            #expect(state.devices["desk"]?.attachment?.vm == "a")
            #expect(state.devices["desk"]?.vmID == "qmp:/run/a.qmp")
            release.finish()
            #expect(await outcome.isDone)
            try await #require(await bench.vms.guest()).setConfiguration(1)
        }
        try await Bench.run(in: directory) { bench in
            try await bench.reaches("plugged again") { $0.state == .plugged }
        }
    }

    @Test func aDeviceThatIsNoLongerConfiguredIsNamed() async throws {
        let directory = try TemporaryDirectory()
        try await Bench.run(in: directory) { bench in #expect(await bench.plug("desk").isDone) }
        let other = "[[device]]\nname = \"pad\"\ninterfaces = [ { kind = \"serial\", to = \"pty\" } ]"
        try await Bench.run(devices: other, in: directory) { bench in
            #expect(
                await bench.events("forgotten").map(\.message)
                    == ["was plugged into a and is no longer configured; it is not plugged again"])
        }
    }

    @Test func aDamagedStateIsSetAsideAndTold() async throws {
        let directory = try TemporaryDirectory()
        let file = EngineSettings.quick(in: directory).stateFile
        try FileManager.default.createDirectory(atPath: directory.file("state"), withIntermediateDirectories: true)
        try Data("{\"version\": 1, \"devi".utf8).write(to: URL(fileURLWithPath: file))
        try await Bench.run(in: directory) { bench in
            let message = try #require(await bench.events("state-damaged").first?.message)
            #expect(
                message.hasPrefix("the state file \(file) is damaged (it is not JSON); it is kept as \(file).damaged-"))
            #expect(await bench.plug("desk").isDone)
        }
    }

    @Test func aStateThatCannotBeReadOrWrittenStopsNothing() async throws {
        let directory = try TemporaryDirectory()
        // A file where the directory should be.
        try Data().write(to: URL(fileURLWithPath: directory.file("state")))
        try await Bench.run(in: directory) { bench in
            #expect(await bench.events("state-unreadable").map(\.severity) == [.fault])
            #expect(await bench.plug("desk").isDone)
            #expect(await bench.unplug("desk").isDone)
            // Once, not with each attempt.
            #expect(await bench.events("state-unwritable").count == 1)
            #expect(
                await bench.engine.snapshot().faults.map(\.message).first?.hasPrefix("the state cannot be written")
                    == true)
            try FileManager.default.removeItem(atPath: directory.file("state"))
            #expect(await bench.plug("desk").isDone)
            #expect(await bench.events("state-written").count == 1)
            #expect(await bench.engine.snapshot().faults.isEmpty)
        }
    }

    @Test func wiresLeaveNoFiles() async throws {
        let directory = try TemporaryDirectory()
        try await Bench.run(in: directory) { bench in
            #expect(await bench.plug("desk").isDone)
            let wires = EngineSettings.quick(in: directory).wireDirectory
            #expect(try FileManager.default.contentsOfDirectory(atPath: wires) == ["desk-1.sock"])
            let mode = try FileManager.default.attributesOfItem(atPath: wires)[.posixPermissions] as? Int
            #expect(mode == 0o700)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["state"])
    }
}

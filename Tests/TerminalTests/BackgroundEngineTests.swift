import ControlClient
import ControlProtocol
import Foundation
import TerminalTestKit
import TestDirectory
import Testing

/// The console starts an engine where none runs, and a terminal that closes does not take it along.
@Suite("Engine in the background", .timeLimit(.minutes(2)))
struct BackgroundEngineTests {
    @Test func theEngineOutlivesTheTerminalOfItsConsole() async throws {
        let directory = try TemporaryDirectory()
        let configuration = directory.path + "/config.toml"
        try """
        [engine]
        socket = "\(directory.socket)"
        [[device]]
        name = "desk"
        interfaces = [{ kind = "serial", name = "tty", to = "pty" }]
        """.write(toFile: configuration, atomically: true, encoding: .utf8)
        let tmux = try Tmux(
            shell: ConsoleSession.script(
                try BuiltProducts.path(of: "2virt"), "--config \(configuration)", directory))
        try await tmux.wait(for: "desk")
        let console = try ConsoleSession.pid(in: directory)
        try tmux.closePane()
        let end = ContinuousClock.now + .seconds(10)
        while kill(console, 0) == 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
        #expect(kill(console, 0) == -1, "the console has gone with its terminal")

        let client = try await ControlClient.connect(to: directory.socket, actor: "test")
        guard case .snapshot(let snapshot) = try await client.send(.snapshot) else {
            Issue.record("the engine shows nothing")
            return
        }
        #expect(snapshot.device("desk") != nil)
        #expect(snapshot.engine.pid != console)
        _ = try await client.send(.shutdown)
        await #expect(throws: ControlClientError.closed(socket: directory.socket), "the engine ends when asked") {
            for try await _ in client.pushes {}
        }
    }

    @Test func aConfigurationThatDoesNotHoldIsToldInWords() async throws {
        let directory = try TemporaryDirectory()
        let configuration = directory.path + "/config.toml"
        try "[engine]\nsocket = \"\(directory.socket)\"\n[[device]]\nspeed = \"warp\"\n".write(
            toFile: configuration, atomically: true, encoding: .utf8)
        let tmux = try Tmux(
            columns: 200,
            shell: ConsoleSession.script(
                try BuiltProducts.path(of: "2virt"), "vms --config \(configuration)", directory))
        let screen = try await tmux.wait(for: "modes")
        #expect(screen.contains("rc=1"))
        #expect(screen.contains("the engine does not start"))
        #expect(screen.contains("config.toml:"))
    }
}

import ControlClient
import ControlSocket
import Foundation
import TestDirectory
import Testing

@Suite("Engine launcher", .timeLimit(.minutes(1)))
struct EngineLauncherTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A launcher whose engine is a shell script; `$@` ends in `--ready-fd 3`.
    private func launcher(_ script: String, executable: String = "/bin/sh") -> EngineLauncher {
        var launcher = EngineLauncher(
            configuration: nil, socket: directory.socket, log: directory.path + "/s/engine.log")
        launcher.executable = executable
        launcher.arguments = ["-c", script, "engine"]
        return launcher
    }

    @Test func anEngineThatIsReadyHasASessionOfItsOwnAndNoTerminal() async throws {
        let facts = directory.path + "/facts"
        let engine = try await launcher(
            "cd \(directory.path); ls -l /proc/self/fd > fds; cat /proc/$$/stat > facts; echo ready >&3; exec 3>&-; "
                + "echo on > \(directory.path)/on; exec sleep 100"
        ).start()
        let pid = engine.pid
        defer { engine.kill() }
        let stat = try String(contentsOfFile: facts, encoding: .utf8).split(separator: ")").last?.split(separator: " ")
        #expect(stat?.dropFirst(3).first == "\(pid)", "leads its session")
        #expect(stat?.dropFirst(4).first == "0", "has no terminal")
        let descriptors = try String(contentsOfFile: directory.path + "/fds", encoding: .utf8)
        #expect(descriptors.contains("0 -> /dev/null"))
        #expect(descriptors.contains("2 -> \(directory.path)/s/engine.log"))
        #expect(kill(pid, 0) == 0)
    }

    @Test func itsEndIsWaitedFor() async throws {
        let engine = try await launcher("echo ready >&3; exec 3>&-; exec sleep 100").start()
        #expect(await engine.end(within: 50) == nil, "it lives")
        engine.kill()
        #expect(await engine.end(within: 10_000) == .signal(SIGKILL))
        let other = try await launcher("echo ready >&3; exit 3").start()
        #expect(await other.end(within: 10_000) == .exit(code: 3))
    }

    @Test func itsOwnWordsAreTheError() async throws {
        let error = await #expect(throws: EngineLaunchError.self) {
            _ = try await launcher("echo 'failed config.toml:3: speed: found \"x\"' >&3; exit 1").start()
        }
        #expect(error?.description.contains("config.toml:3: speed: found \"x\"") == true)
    }

    @Test func aDeathWithoutAWordQuotesTheLog() async throws {
        let launcher = launcher("echo 'no such verb' >&2; exit 64")
        let error = await #expect(throws: EngineLaunchError.self) { _ = try await launcher.start() }
        #expect(error == .died(how: "exited with code 64", output: "no such verb", log: launcher.log))
    }

    @Test func aDeathBySignalIsNamed() async throws {
        let launcher = launcher("kill -9 $$")
        let error = await #expect(throws: EngineLaunchError.self) { _ = try await launcher.start() }
        #expect(error == .died(how: "was ended by signal 9", output: "", log: launcher.log))
    }

    @Test func aMissingProgramIsNamed() async throws {
        let launcher = launcher("", executable: "/nonexistent/2virt")
        let error = await #expect(throws: EngineLaunchError.self) { _ = try await launcher.start() }
        #expect(error?.description.contains("/nonexistent/2virt") == true)
    }

    @Test func readinessGoesThroughAPipe() throws {
        let pipe = Pipe()
        EngineReadiness.failed("two\nlines").report(on: dup(pipe.fileHandleForWriting.fileDescriptor))
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(EngineReadiness(text: text) == .failed("two\nlines"))
        #expect(EngineReadiness(text: EngineReadiness.ready.text) == .ready)
        #expect(EngineReadiness(text: "") == nil)
        #expect(EngineReadiness(text: "garbage") == nil)
    }
}

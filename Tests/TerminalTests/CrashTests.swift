import TerminalTestKit
import TestDirectory
import Testing

/// A program that dies with the screen up.
@Suite("Crash with the screen up", .timeLimit(.minutes(2)))
struct CrashTests {
    private func run(_ way: String) async throws -> (screen: String, flags: String) {
        let directory = try TemporaryDirectory()
        let probe = try BuiltProducts.path(of: "ScreenProbe")
        let tmux = try Tmux(
            columns: 160,
            shell: ConsoleSession.script(probe, way, directory, environment: ["SWIFT_BACKTRACE": "enable=no"]))
        try await tmux.wait(for: "probe is up")
        #expect(try tmux.flags().hasPrefix("11"))
        try tmux.press("x")
        let screen = try await tmux.wait(for: "modes")
        return (screen, try tmux.flags())
    }

    @Test func theMessageOfATrapOutlivesTheAlternateScreen() async throws {
        let (screen, flags) = try await run("trap")
        #expect(screen.contains("Fatal error: asked to crash"))
        #expect(screen.contains("written while the screen was up"))
        #expect(screen.contains("modes icanon echo"))
        #expect(flags == ConsoleOnTerminalTests.restored)
        // A trap is SIGILL or SIGTRAP, by architecture.
        #expect(screen.contains("rc=132") || screen.contains("rc=133"))
    }

    @Test func aStackOverflowRestoresTheTerminal() async throws {
        let (screen, flags) = try await run("overflow")
        #expect(screen.contains("rc=139"))
        #expect(screen.contains("modes icanon echo"))
        #expect(flags == ConsoleOnTerminalTests.restored)
    }

    @Test func anAbortRestoresTheTerminal() async throws {
        let (screen, flags) = try await run("abort")
        #expect(screen.contains("rc=134"))
        #expect(flags == ConsoleOnTerminalTests.restored)
    }

    @Test func aNormalEndShowsWhatWasWrittenMeanwhile() async throws {
        let (screen, flags) = try await run("finish")
        #expect(screen.contains("rc=0"))
        #expect(screen.contains("written while the screen was up"))
        #expect(flags == ConsoleOnTerminalTests.restored)
    }
}

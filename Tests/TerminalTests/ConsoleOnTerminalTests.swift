import ControlProtocol
import Foundation
import TerminalTestKit
import TestDirectory
import Testing

/// The built command in a real terminal emulator.
@Suite("Console on a terminal", .serialized, .timeLimit(.minutes(3)))
struct ConsoleOnTerminalTests {
    /// Main screen, no mouse reports, cursor shown, plain keys.
    static let restored = "0010"

    @Test func drawsAndQuitsByKey() async throws {
        let session = try await ConsoleSession()
        try await session.isUp()
        #expect(try session.tmux.flags().hasPrefix("11"), "alternate screen and mouse reports")
        #expect(try session.tmux.screen().contains("┌"))
        try session.tmux.press("q")
        try await session.tmux.wait(for: "the quit dialog or the end") { $0.contains("engine") || $0.contains("modes") }
        if try !session.tmux.screen().contains("modes") { try session.tmux.press("Enter") }
        let screen = try await session.end()
        #expect(screen.contains("rc=0"))
        #expect(screen.contains("modes icanon echo"))
        #expect(try session.tmux.flags() == Self.restored)
        #expect(!session.engine.received.contains { $0.command == .shutdown }, "leaving keeps the engine")
        #expect(session.engine.received.allSatisfy { $0.actor.contains("@pts/") })
    }

    @Test(
        "A signal restores the terminal and shows in the exit code",
        arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT, SIGBUS])
    func aSignalRestoresTheTerminal(signal: Int32) async throws {
        let session = try await ConsoleSession(environment: ["SWIFT_BACKTRACE": "enable=no"])
        try await session.isUp()
        #expect(kill(try session.pid, signal) == 0)
        let screen = try await session.end()
        #expect(screen.contains("rc=\(128 + signal)"))
        #expect(screen.contains("modes icanon echo"))
        #expect(try session.tmux.flags() == Self.restored)
    }

    @Test func followsTheSizeOfTheTerminal() async throws {
        let session = try await ConsoleSession()
        try await session.isUp()
        try session.tmux.resize(columns: 20, rows: 5)
        try await session.tmux.wait(for: "the list without boxes") { $0.contains("web-01") && !$0.contains("┌") }
        try session.tmux.resize(columns: 12, rows: 2)
        try session.tmux.resize(columns: 200, rows: 60)
        let wide = try await session.tmux.wait(for: "boxes to the last column") { screen in
            screen.split(separator: "\n").contains { $0.count == 200 && $0.hasSuffix("┐") }
        }
        #expect(wide.contains("web-02"))
    }

    @Test func arrowsArriveInBothForms() async throws {
        let session = try await ConsoleSession()
        try await session.isUp()
        let before = try session.tmux.screen()
        // CSI B, though the description says SS3 B: must not be read as Esc, [ and B.
        try session.tmux.press("-l", "\u{1b}[B")
        try await session.tmux.wait(for: "another selection") { $0 != before && $0.contains(">") }
        #expect(try session.tmux.flags().hasPrefix("1"))
    }

    @Test func withoutUTF8BoxesAreASCII() async throws {
        let session = try await ConsoleSession(environment: ["LC_ALL": "C"])
        try await session.isUp()
        let screen = try session.tmux.screen()
        #expect(screen.unicodeScalars.allSatisfy { $0.isASCII })
        #expect(screen.contains("+--") || screen.contains("+=="))
    }

    @Test func aForeignUTF8LocaleStillDrawsBoxes() async throws {
        let session = try await ConsoleSession(environment: ["LANG": "xx_XX.UTF-8"])
        try await session.isUp()
        #expect(try session.tmux.screen().contains("┌"))
    }

    @Test func anUnknownTerminalIsDrawnAsXtermAndSaidSo() async throws {
        let session = try await ConsoleSession(environment: ["TERM": "xterm-brandnew"])
        try await session.isUp()
        #expect(kill(try session.pid, SIGTERM) == 0)
        let screen = try await session.end()
        #expect(screen.replacingOccurrences(of: "\n", with: "").contains("TERM=xterm-brandnew is not in"))
    }

    @Test(arguments: ["dumb", ""])
    func aTerminalThatCannotBeDrawnOnIsRefusedWithAHint(term: String) async throws {
        let session = try await ConsoleSession(columns: 200, environment: ["TERM": term])
        let screen = try await session.end()
        #expect(screen.contains("rc=1"))
        #expect(screen.contains("2virt vms"))
    }

    @Test func aThemeThatIsNotThereIsRefusedWithTheNames() async throws {
        let session = try await ConsoleSession(columns: 200, arguments: "--theme nonesuch")
        let screen = try await session.end()
        #expect(screen.contains("rc=1"))
        #expect(screen.contains("no theme 'nonesuch'"))
        #expect(screen.contains("harbor"))
    }

    @Test func suspendsAndComesBack() async throws {
        let directory = try TemporaryDirectory()
        let session = try await ConsoleSession()
        // A shell with job control is needed: it takes the terminal back.
        let shell = try Tmux(shell: "env PS1='prompt> ' bash --norc --noprofile -i")
        try await shell.wait(for: "prompt>")
        try shell.press(
            "-l",
            "TERM=tmux-256color XDG_CONFIG_HOME=\(directory.path) "
                + "\(try BuiltProducts.path(of: "2virt")) --socket \(session.directory.socket)")
        try shell.press("Enter")
        try await shell.wait(for: "┌")
        try shell.press("C-z")
        try await shell.wait(for: "Stopped")
        #expect(try shell.flags() == Self.restored)
        try shell.press("fg", "Enter")
        try await shell.wait(for: "the picture again") { $0.contains("┌") && $0.contains("web-02") }
        #expect(try shell.flags().hasPrefix("11"))
    }

    @Test(
        "A terminal that closes ends the console",
        arguments: [("exec", "hang-up"), ("exec setsid", "no controlling terminal: only the end of input")])
    func aTerminalThatClosesEndsTheConsole(launcher: String, reason: String) async throws {
        let session = try await ConsoleSession(launcher: launcher)
        try await session.isUp()
        let pid = try session.pid
        #expect(kill(pid, 0) == 0)
        try session.tmux.closePane()
        let end = ContinuousClock.now + .seconds(10)
        while kill(pid, 0) == 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
        #expect(kill(pid, 0) == -1, "\(reason): still runs")
    }

    @Test func aCalmSecondCostsLittle() async throws {
        let session = try await ConsoleSession(columns: 200, rows: 60)
        try await session.isUp()
        // The first frames may still be on their way.
        try await Task.sleep(for: .seconds(1.5))
        let file = session.directory.path + "/bytes"
        try session.tmux.record(to: file)
        let before = try Self.cpuTicks(of: session.pid)
        try await Task.sleep(for: .seconds(4))
        let ticks = try Self.cpuTicks(of: session.pid) - before
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file)).count
        #expect(bytes <= 4 * 200, "\(bytes) bytes in 4 calm seconds at 200x60")
        #expect(bytes > 0, "the clock must go on")
        #expect(ticks <= 40, "\(ticks) of 400 clock ticks in 4 calm seconds")
    }

    @Test func anEngineThatGoesAndComesIsShown() async throws {
        let session = try await ConsoleSession()
        try await session.isUp()
        session.engine.dropConnections()
        let greetings = session.engine.received.count
        let end = ContinuousClock.now + .seconds(10)
        while session.engine.received.count == greetings, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(session.engine.received.count > greetings, "it connects again and subscribes")
        try await session.isUp()
    }

    private static func cpuTicks(of pid: Int32) throws -> Int {
        let fields =
            try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            .split(separator: ")").last?.split(separator: " ") ?? []
        // utime and stime, proc(5) fields 14 and 15; the first here is field 3.
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
            throw Tmux.Failure(description: "/proc/\(pid)/stat has another form")
        }
        return user + system
    }
}

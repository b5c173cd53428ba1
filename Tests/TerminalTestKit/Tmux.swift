import CSpawn
import Foundation

/// A real terminal: one pane of a tmux server of its own, which ends with this object.
public final class Tmux: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
    }

    private static let program = ["/usr/bin/tmux", "/usr/local/bin/tmux", "/bin/tmux"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    public static var isThere: Bool { program != nil }

    private let server = "2virt-test-\(UUID().uuidString.prefix(8))"

    /// Runs a shell command in a new pane, which stays when the command has ended.
    public init(columns: Int = 100, rows: Int = 30, shell command: String) throws {
        try tmux(
            "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", command, ";", "set", "-g", "remain-on-exit", "on")
    }

    deinit { _ = try? tmux("kill-server") }

    /// The picture, one line per row.
    public func screen() throws -> String { try tmux("capture-pane", "-p") }

    public func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

    /// Pastes as a terminal does, in brackets where the program asked for them.
    public func paste(_ text: String) throws {
        try tmux("set-buffer", "--", text)
        try tmux("paste-buffer", "-p", "-r")
    }

    public func resize(columns: Int, rows: Int) throws {
        try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    public func closePane() throws { try tmux("kill-server") }

    /// Copies all that the pane is sent to a file from now on.
    public func record(to file: String) throws { try tmux("pipe-pane", "cat > \(file)") }

    /// `alternate screen, mouse reports, cursor, application keys` as 0 and 1.
    public func flags() throws -> String {
        try tmux("display", "-p", "#{alternate_on}#{mouse_any_flag}#{cursor_flag}#{keypad_cursor_flag}")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until the picture is as wanted; tmux tells nobody when it changes, so it is asked again and again.
    @discardableResult
    public func wait(seconds: Double = 20, for what: String, until isReached: (String) throws -> Bool) async throws
        -> String
    {
        let end = ContinuousClock.now + .seconds(seconds)
        var last = ""
        while ContinuousClock.now < end {
            last = try screen()
            if try isReached(last) { return last }
            try await Task.sleep(for: .milliseconds(30))
        }
        throw Failure(
            description: "\(what) did not come in \(seconds) s; flags \(try flags()), the screen was:\n\(last)")
    }

    @discardableResult
    public func wait(seconds: Double = 20, for text: String) async throws -> String {
        try await wait(seconds: seconds, for: text) { $0.contains(text) }
    }

    @discardableResult
    private func tmux(_ arguments: String...) throws -> String { try tmux(arguments) }

    @discardableResult
    private func tmux(_ arguments: [String]) throws -> String {
        guard let program = Self.program else { throw Failure(description: "tmux is not installed") }
        // To a file and with nothing inherited: the server that the first call starts lives on, and would keep the
        // pipes of other tests open.
        let file = "/tmp/\(server).\(UUID().uuidString.prefix(8))"
        let output = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw Failure(description: "\(file): \(String(cString: strerror(errno)))") }
        defer {
            close(output)
            unlink(file)
        }
        let words =
            [
                "env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TERM=xterm-256color", program, "-L", server, "-f",
                "/dev/null", "-u",
            ] + arguments
        var argv = words.map { strdup($0) }
        argv.append(nil)
        defer { argv.forEach { free($0) } }
        var pid: pid_t = 0
        let error = cs_spawn("/usr/bin/env", argv, output, output, &pid)
        guard error == 0 else { throw Failure(description: "tmux: \(String(cString: strerror(error)))") }
        var status: Int32 = 0
        guard cs_wait(pid, 20_000, &status) == 1 else {
            kill(pid, SIGKILL)
            throw Failure(description: "tmux \(arguments.joined(separator: " ")) does not return")
        }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard status == 0 else {
            throw Failure(description: "tmux \(arguments.joined(separator: " ")): \(text)")
        }
        return text
    }
}

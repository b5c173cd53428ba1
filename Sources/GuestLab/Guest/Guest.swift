import Foundation
import NIOCore

/// A running Linux guest under QEMU.
///
/// It is killed when this object goes, and by the kernel when this process dies; ``shutdown()`` ends it in order and
/// waits until nothing of it is left.
public final class Guest: Sendable {
    public let name: String
    /// What `uname -r` prints in the guest.
    public let kernelRelease: String
    /// The accelerator it runs under and why.
    public let accelerator: AcceleratorChoice
    /// From QEMU's start to the ready message.
    public let bootDuration: Duration
    /// The lab's own QMP connection.
    public let monitor: GuestMonitor

    let paths: GuestPaths
    let log: KernelLog
    let commands: CommandChannel
    let process: ChildProcess
    /// Ends after QEMU has: everybody waiting is told, every file is removed.
    private let cleanup: Task<Void, Never>

    init(
        name: String, kernelRelease: String, accelerator: AcceleratorChoice, bootDuration: Duration,
        parts: GuestParts, cleanup: Task<Void, Never>
    ) {
        self.name = name
        self.kernelRelease = kernelRelease
        self.accelerator = accelerator
        self.bootDuration = bootDuration
        self.monitor = parts.monitor
        self.paths = parts.paths
        self.log = parts.log
        self.commands = parts.commands
        self.process = parts.process
        self.cleanup = cleanup
    }

    deinit {
        process.kill()
    }

    /// QEMU's process id.
    public var processIdentifier: Int32 { process.pid }
    public var isRunning: Bool { process.status == nil }
    /// The QMP socket for the engine under test: `<directory>/<name>.qmp`.
    public var qmpSocketPath: String { paths.engineQMP }
    /// The directory of that socket, a `qmp-directory` source.
    public var qmpDirectory: String { paths.qmpDirectory }
    /// The kernel log as QEMU writes it, for `tail -f`.
    public var kernelLogPath: String { paths.kernelLog }
    /// A UNIX socket with a shell on a terminal of the guest.
    public var shellSocketPath: String { paths.shell }
    /// What an operator types for that shell; Ctrl-] leaves it.
    public var shellCommand: String { "socat -,rawer,escape=0x1d UNIX-CONNECT:\(paths.shell)" }

    /// The guest agent's UNIX socket, where ``GuestConfiguration/guestAgent`` asked for one; QEMU listens there, and
    /// `query-chardev` names it under the label `lab-guest-agent`.
    public var agentSocketPath: String { paths.guestAgent }

    /// Runs a shell command in the guest; its standard error is merged into the output. On timeout it is killed.
    public func run(_ command: String, timeout: Duration = .seconds(30)) async throws -> CommandResult {
        try await commands.run(command, timeout: timeout)
    }

    /// Runs a shell command and returns its output as text; throws unless it exits with 0.
    @discardableResult
    public func check(_ command: String, timeout: Duration = .seconds(30)) async throws -> String {
        let result = try await run(command, timeout: timeout)
        guard result.exitCode == 0 else {
            throw LabError.commandFailed(command: command, exitCode: result.exitCode, output: result.text)
        }
        return result.text
    }

    /// The place after the last kernel log line so far.
    public var kernelLogMark: KernelLogMark { log.mark }

    public func kernelLog(since mark: KernelLogMark = .start) -> [String] { log.lines(since: mark) }

    /// The first kernel log line at or after `mark` that contains `text`.
    @discardableResult
    public func waitForKernelLog(
        containing text: String, since mark: KernelLogMark = .start, timeout: Duration = .seconds(20)
    ) async throws -> String {
        try await log.wait(since: mark, timeout: timeout, for: "containing “\(text)”") { $0.contains(text) }
    }

    /// The first kernel log line at or after `mark` that `matches` accepts; `matches` runs on the log's thread.
    @discardableResult
    public func waitForKernelLog(
        since mark: KernelLogMark = .start, timeout: Duration = .seconds(20),
        matching matches: @escaping @Sendable (String) -> Bool
    ) async throws -> String {
        try await log.wait(since: mark, timeout: timeout, for: "of the kind asked for", matching: matches)
    }

    /// Ends the guest and waits until its process, sockets and files are gone; may be called again.
    public func shutdown() async {
        if isRunning {
            do {
                try await monitor.execute("quit", timeout: .seconds(2))
            } catch {
                // QEMU that does not answer, or is already going, is ended below.
                process.kill()
            }
            let deadline = Task { [process] in
                try await Task.sleep(for: .seconds(5))
                process.kill()
            }
            _ = await process.exit()
            deadline.cancel()
        }
        await cleanup.value
    }

    /// Waits until the guest has ended, for whatever reason, and its files are gone.
    public func waitUntilEnded() async {
        await cleanup.value
    }
}

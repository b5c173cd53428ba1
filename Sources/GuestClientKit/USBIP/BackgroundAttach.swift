import CUSBFS
import Glibc

/// A process of its own that attaches a device by TLS and then moves its bytes until it is detached.
///
/// The kernel keeps a plain socket by itself; one end of a tunnel needs somebody at the other end, who must outlive the
/// command that was typed.
public enum BackgroundAttach {
    /// The descriptor on which the process tells its parent how it went.
    public static let reportDescriptor: Int32 = 3

    /// Starts the process and returns when the device is attached.
    static func start(
        _ address: ExporterAddress, _ name: String, _ files: TLSFiles
    ) throws(GuestError) -> Attacher.Attachment {
        guard access("/proc/self/exe", X_OK) == 0 else {
            throw .unsupported("--tls needs /proc: a process in the background moves the bytes")
        }
        var arguments = [
            "2virt-guest", "attach", address.description, name, "--tls", "--certificate", files.certificate, "--key",
            files.key, "--ca", files.authority, "--report",
        ]
        if let name = files.serverName { arguments += ["--server-name", name] }
        var ends: [Int32] = [-1, -1]
        guard cusbfs_pipe(&ends) == 0 else { throw .failed("pipe: \(errorText(errno))") }
        let code = spawn(arguments, report: ends[1])
        close(ends[1])
        defer { close(ends[0]) }
        guard code == 0 else { throw .failed("cannot start a process for TLS: \(errorText(code))") }
        return try outcome(of: readToEnd(ends[0]), peer: address.description)
    }

    private static func spawn(_ arguments: [String], report: Int32) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // Where the two are the same, the flag that would close it is taken off.
        posix_spawn_file_actions_adddup2(&actions, report, reportDescriptor)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // `watch` blocks the signals that end it; this process must be ended by them.
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        return withCStrings(arguments) { posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, $0, environ) }
    }

    private static func readToEnd(_ descriptor: Int32) -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while text.count < 64 << 10 {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            text += chunk.prefix(count)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Takes `0 PORT BUSID` or `STATUS REASON`.
    static func outcome(of report: String, peer: String) throws(GuestError) -> Attacher.Attachment {
        let parts = report.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let status = Int32(parts[0]) else {
            throw .failed("\(peer): the process for TLS ended without a word")
        }
        guard status == 0 else { throw GuestError(exitStatus: status, String(parts[1])) }
        let words = parts[1].split(separator: " ")
        guard words.count == 2, let port = Int(words[0]) else { throw .failed("\(peer): \(parts[1])") }
        return Attacher.Attachment(port: port, busID: String(words[1]))
    }

    /// In the process itself: attaches, tells the parent, and moves bytes until the device is detached.
    public static func run(_ attacher: Attacher, _ name: String) {
        // A session of its own: the end of a terminal must not end it.
        setsid()
        signal(SIGPIPE, SIG_IGN)
        let report: String
        var tunnel: TLSTunnel?
        do {
            let (attachment, opened) = try attacher.attachHere(name)
            tunnel = opened
            report = "0 \(attachment.port) \(attachment.busID)"
        } catch {
            report = "\(error.exitStatus) \(error.description)"
        }
        let bytes = Array(report.utf8)
        // The parent may have been ended; the device is attached all the same.
        _ = bytes.withUnsafeBytes { write(reportDescriptor, $0.baseAddress, $0.count) }
        close(reportDescriptor)
        tunnel?.waitUntilClosed()
    }
}

import Foundation

/// One running QEMU, as its entry in /proc shows it.
struct QEMUProcess: Equatable, Sendable {
    let pid: Int32
    let startTicks: UInt64
    let commandLine: QEMUCommandLine
    /// Absolute paths of the QMP sockets it listens on.
    let sockets: [String]
    /// Why it cannot be controlled and what to do about it; nil when there is a socket.
    let trouble: String?

    /// nil when the process is gone, a zombie, or no QEMU.
    init?(pid: Int32) {
        // One page holds the arguments of any other program long enough to rule it out; QEMU's may be longer.
        guard let bytes = try? readFile("/proc/\(pid)/cmdline", limit: 1 << 20), !bytes.isEmpty,
            let status = ProcessStatus.read(pid: pid), status.state != "Z"
        else { return nil }
        let arguments = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let commandLine = QEMUCommandLine(arguments: arguments) else { return nil }
        self.init(
            pid: pid, startTicks: status.startTicks, commandLine: commandLine,
            directory: try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd"))
    }

    init(pid: Int32, startTicks: UInt64, commandLine: QEMUCommandLine, directory: String?) {
        self.pid = pid
        self.startTicks = startTicks
        self.commandLine = commandLine
        var sockets: [String] = []
        var reasons: [String] = []
        for monitor in commandLine.monitors {
            switch monitor {
            case .unixServer(let path) where path.hasPrefix("/"): sockets.append(path)
            case .unixServer(let path):
                if let directory {
                    sockets.append(directory + "/" + path)
                } else {
                    reasons.append("its QMP socket \(path) is relative to a working directory we may not read")
                }
            case .unusable(let reason): reasons.append(reason)
            }
        }
        self.sockets = sockets
        let reason = reasons.isEmpty ? "it has no QMP monitor" : reasons.joined(separator: "; ")
        trouble = sockets.isEmpty ? printable("\(reason); \(Self.advice)", limit: 512) : nil
    }

    private static let advice = "start it with -qmp unix:/run/vms/NAME.qmp,server=on,wait=off"

    /// Every QEMU this user can see, by process id.
    static func all() -> [QEMUProcess] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else { return [] }
        return names.compactMap { Int32($0) }.sorted().compactMap { isCandidate($0) ? QEMUProcess(pid: $0) : nil }
    }

    /// Looks at the first bytes of the command line only, since nearly every process is something else.
    private static func isCandidate(_ pid: Int32) -> Bool {
        guard let bytes = try? readFile("/proc/\(pid)/cmdline", limit: 256) else { return false }
        return QEMUCommandLine.isSystemEmulator(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }

    /// True when the process is a QEMU: a socket's peer may be whoever made the socket for it.
    static func isQEMU(pid: Int32) -> Bool { isCandidate(pid) }

    /// The process a thread belongs to, by `/proc/TID/status`.
    static func process(ofThread thread: Int64) -> Int32? {
        guard let bytes = try? readFile("/proc/\(thread)/status", limit: 8192) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Tgid:") {
            return Int32(line.dropFirst(5).drop { $0 == "\t" || $0 == " " })
        }
        return nil
    }
}

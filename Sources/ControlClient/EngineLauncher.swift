import CSpawn
import ControlSocket
import Foundation

/// Starts an engine that outlives its starter: a session of its own, no terminal, its output in a log.
public struct EngineLauncher: Sendable {
    /// Seconds an engine has to listen.
    static let patience = 30
    /// Bytes of the log that an error quotes.
    static let excerptSize = 4096
    /// The descriptor an engine reports on; the first after the standard ones.
    static let readyDescriptor: Int32 = 3

    /// The program; this one by default, also when its file was replaced meanwhile.
    public var executable = "/proc/self/exe"
    /// All that follows the program's name, without `--ready-fd`.
    public var arguments: [String]
    public var log: String

    public init(configuration: String?, socket: String, log: String) {
        arguments = ["engine", "--socket", socket]
        if let configuration { arguments += ["--config", configuration] }
        self.log = log
    }

    /// Starts the engine and returns it once it listens.
    public func start() async throws(EngineLaunchError) -> EngineProcess {
        let result = await withCheckedContinuation { continuation in
            // Waits on a pipe: not on a thread that other tasks need.
            DispatchQueue.global().async { continuation.resume(returning: Result(catching: launch)) }
        }
        switch result {
        case .success(let pid): return EngineProcess(pid: pid)
        case .failure(let error):
            throw error as? EngineLaunchError ?? .system(operation: "start", message: String(describing: error))
        }
    }

    private func launch() throws -> Int32 {
        let logDescriptor = try openLog()
        defer { close(logDescriptor) }
        let logStart = lseek(logDescriptor, 0, SEEK_END)
        var (reader, writer): (Int32, Int32) = (-1, -1)
        let error = cs_pipe(&reader, &writer)
        guard error == 0 else { throw failure("pipe", error) }
        defer { close(reader) }
        let pid: Int32
        do {
            // Only the engine holds the pipe's other end from here on: its death is the end of the pipe.
            defer { close(writer) }
            pid = try spawn(log: logDescriptor, ready: writer)
        }
        guard let text = read(until: DispatchTime.now() + .seconds(Self.patience), from: reader) else {
            throw EngineLaunchError.silent(seconds: Self.patience, pid: pid, log: log)
        }
        switch EngineReadiness(text: text) {
        case .ready: return pid
        case .failed(let reason): throw EngineLaunchError.refused(reason: reason, log: log)
        case nil:
            let end = wait(for: pid)
            throw EngineLaunchError.died(how: end, output: excerpt(logDescriptor, from: logStart), log: log)
        }
    }

    private func openLog() throws -> Int32 {
        let directory = (log as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw EngineLaunchError.system(operation: "log directory \(directory)", message: error.localizedDescription)
        }
        let descriptor = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("log \(log)", errno) }
        return descriptor
    }

    private func spawn(log: Int32, ready: Int32) throws -> Int32 {
        let words = ["2virt"] + arguments + ["--ready-fd", "\(Self.readyDescriptor)"]
        var argv = words.map { strdup($0) }
        argv.append(nil)
        defer { argv.forEach { free($0) } }
        var pid: pid_t = 0
        let error = cs_spawn(executable, argv, log, ready, &pid)
        guard error == 0 else { throw failure(executable, error) }
        return pid
    }

    /// Everything until the end of the pipe, at most 64 KiB; nil when the time is over.
    private func read(until deadline: DispatchTime, from descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 64 << 10 {
            let left = Int64(deadline.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds)
            guard left > 0 else { return nil }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, Int32(left / 1_000_000 + 1)) > 0 else { continue }
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func wait(for pid: Int32) -> String {
        var status: Int32 = 0
        // The pipe has ended, so it is dying, or has let go of the pipe; the latter must not hold us up.
        guard cs_wait(pid, 1000, &status) == 1 else { return "closed its ready descriptor" }
        return ProcessEnd(status: status).description
    }

    private func excerpt(_ descriptor: Int32, from start: off_t) -> String {
        let end = lseek(descriptor, 0, SEEK_END)
        var block = [UInt8](repeating: 0, count: Self.excerptSize)
        let count = pread(descriptor, &block, block.count, max(start, end - off_t(block.count)))
        guard count > 0 else { return "" }
        return String(decoding: block[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func failure(_ operation: String, _ error: Int32) -> EngineLaunchError {
        .system(operation: operation, message: String(cString: strerror(error)))
    }
}

import CSpawn
import Foundation
import Synchronization

/// A child process, ended by its exit status alone.
///
/// Not Foundation's `Process`: that waits until nobody holds a socket which it gives its child, and a tmux server, which
/// the child leaves behind, holds it for ever.
public final class Child: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public let pid: Int32
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - output: where standard output goes; nothing else but standard error is handed on.
    public init(
        _ program: String, _ arguments: [String], variables: [String: String], output: Int32, errors: Int32
    ) throws {
        let words =
            ["env", "-i"] + variables.map { "\($0.key)=\($0.value)" }
            + ["sh", "-c", #"exec "$0" "$@" 2>&3 3>&-"#, program] + arguments
        var argv = words.map { strdup($0) }
        argv.append(nil)
        defer { argv.forEach { free($0) } }
        var pid: Int32 = 0
        let code = cs_spawn("/usr/bin/env", argv, output, errors, &pid)
        guard code == 0 else { throw Failure(description: "\(program): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    public var isRunning: Bool { look(WNOHANG) == nil }

    /// Waits for its end and returns the exit status; 128 and more tell of a signal.
    public func end() -> Int32 { look(0) ?? -1 }

    public func kill(_ signal: Int32 = SIGTERM) {
        // Held so that the process id cannot become another's meanwhile.
        status.withLock { if $0 == nil { Foundation.kill(pid, signal) } }
    }

    private func look(_ options: Int32) -> Int32? {
        // Waited for without the lock, so that it can be killed; reaped with it.
        if options == 0, status.withLock({ $0 == nil }) {
            var info = siginfo_t()
            while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        }
        return status.withLock { known in
            if let known { return known }
            var value: Int32 = 0
            guard waitpid(pid, &value, options) == pid else { return nil }
            let signal = value & 0x7F
            known = signal == 0 ? (value >> 8) & 0xFF : 128 + signal
            return known
        }
    }
}

import CSpawn
import Dispatch
import Glibc

/// An engine that this process has started, and may have to end.
public struct EngineProcess: Sendable {
    public let pid: Int32

    /// Waits until it has ended: nil if it lives on after the time, else how it ended.
    public func end(within milliseconds: Int32) async -> ProcessEnd? {
        await withCheckedContinuation { continuation in
            // Waits on a descriptor: not on a thread that other tasks need.
            DispatchQueue.global().async { [pid] in
                var status: Int32 = 0
                let hasEnded = cs_wait(pid, milliseconds, &status) == 1
                continuation.resume(returning: hasEnded ? ProcessEnd(status: status) : nil)
            }
        }
    }

    public func kill() { Glibc.kill(pid, SIGKILL) }
}

/// How a child process ended, by waitpid(2)'s status.
public enum ProcessEnd: Sendable, Equatable, CustomStringConvertible {
    case exit(code: Int32)
    case signal(Int32)

    init(status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exit(code: (status >> 8) & 0xFF) : .signal(signal)
    }

    public var description: String {
        switch self {
        case .exit(let code): "exited with code \(code)"
        case .signal(let signal): "was ended by signal \(signal)"
        }
    }
}

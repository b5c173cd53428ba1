import Foundation
import Synchronization

/// A running program that dies with this process.
///
/// One thread per child starts it, reads its output and reaps it. That thread must outlive the child because
/// PR_SET_PDEATHSIG fires when the *thread* that forked ends, which rules out pool threads.
final class ChildProcess: Sendable {
    private struct State {
        var status: ExitStatus?
        var waiters: [OneShot<ExitStatus>] = []
    }

    let pid: pid_t
    private let state = Mutex(State())

    private init(pid: pid_t) {
        self.pid = pid
    }

    /// Starts a program; `onOutput` is called on the child's own thread, in order, before ``exit()`` returns.
    static func start(
        _ launch: ChildLaunch, onOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws -> ChildProcess {
        let started = OneShot<ChildProcess>()
        let thread = Thread {
            do {
                let (pid, reader) = try spawn(launch)
                let child = ChildProcess(pid: pid)
                started.succeed(child)
                if let reader {
                    drain(reader, onOutput)
                    close(reader)
                }
                child.reap()
            } catch {
                started.fail(error)
            }
        }
        thread.name = "child"
        thread.start()
        return try await started.value()
    }

    /// Waits for the end; may be called by any number of tasks.
    func exit() async -> ExitStatus {
        let waiter = OneShot<ExitStatus>()
        let known: ExitStatus? = state.withLock { state in
            if state.status == nil { state.waiters.append(waiter) }
            return state.status
        }
        if let known { return known }
        // A cancelled waiter still has to see the end: the caller relies on the child being gone.
        return await Task.detached { (try? await waiter.value()) ?? .signalled(SIGKILL) }.value
    }

    var status: ExitStatus? { state.withLock { $0.status } }

    /// Sends a signal unless the child has been reaped, so that a reused pid is never hit.
    func kill(_ signal: Int32 = SIGKILL) {
        state.withLock { state in
            if state.status == nil { _ = Foundation.kill(pid, signal) }
        }
    }

    private func reap() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let (status, waiters) = state.withLock { state in
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            let status = ExitStatus(waitStatus: raw)
            state.status = status
            defer { state.waiters = [] }
            return (status, state.waiters)
        }
        waiters.forEach { $0.succeed(status) }
    }

    private static func drain(_ descriptor: Int32, _ onOutput: ([UInt8]) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                onOutput(Array(buffer[..<count]))
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }
}

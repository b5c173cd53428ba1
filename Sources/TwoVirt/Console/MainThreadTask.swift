import CTerminal
import Foundation
import Synchronization

/// Lets the main thread, whose signals are blocked, wait for a task or for a signal, whichever comes first.
enum MainThreadTask {
    /// A signal asked the process to end.
    struct Stopped: Error {
        var signal: Int32
    }

    /// What the task leaves for the main thread.
    private final class Answer<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
        let wakeDescriptor = ct_event_descriptor()

        deinit { close(wakeDescriptor) }
    }

    /// Runs `body` and returns its value. On a signal the task is cancelled and waited for, so that it can clean up.
    ///
    /// - Throws: what `body` throws, or `Stopped`.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let answer = Answer<Value>()
        let signals = ct_signal_descriptor()
        defer { close(signals) }
        guard signals >= 0, answer.wakeDescriptor >= 0 else {
            throw CommandFailure("signalfd, eventfd: \(String(cString: strerror(errno)))")
        }
        let task = Task.detached {
            let result: Result<Value, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            answer.result.withLock { $0 = result }
            ct_wake(answer.wakeDescriptor)
        }
        var stopped: Stopped?
        while true {
            if let result = answer.result.withLock({ $0 }) {
                if let stopped { throw stopped }
                return try result.get()
            }
            var descriptors = [
                pollfd(fd: answer.wakeDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&descriptors, 2, -1)
            if let signal = endSignal(signals) {
                stopped = stopped ?? Stopped(signal: signal)
                task.cancel()
            }
        }
    }

    /// The first pending signal that asks for the end; others are dealt with.
    private static func endSignal(_ descriptor: Int32) -> Int32? {
        while true {
            let signal = ct_read_signal(descriptor)
            switch signal {
            case 0: return nil
            case SIGTSTP: ct_stop_self()
            case SIGWINCH, SIGCONT: continue
            default: return signal
            }
        }
    }
}

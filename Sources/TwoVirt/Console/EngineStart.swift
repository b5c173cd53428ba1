import CTerminal
import ControlClient
import Foundation
import Synchronization

/// Makes sure that an engine listens before the screen goes up, while the main thread waits for that or for a signal.
struct EngineStart {
    /// A signal came first.
    struct Stopped: Error {
        var signal: Int32
    }

    /// What the task leaves for the main thread.
    private final class Answer: Sendable {
        let result = Mutex<Result<String, any Error>?>(nil)
        let wakeDescriptor = ct_event_descriptor()

        deinit { close(wakeDescriptor) }
    }

    let options: EngineOptions

    /// Returns the socket of an engine that has greeted.
    func wait() throws -> String {
        let answer = Answer()
        let signals = ct_signal_descriptor()
        defer { close(signals) }
        guard signals >= 0, answer.wakeDescriptor >= 0 else {
            throw CommandFailure("signalfd, eventfd: \(String(cString: strerror(errno)))")
        }
        Task.detached { [options] in
            let result: Result<String, any Error>
            do {
                let client = try await options.connect()
                client.close()
                result = .success(client.socket)
            } catch {
                result = .failure(error)
            }
            answer.result.withLock { $0 = result }
            ct_wake(answer.wakeDescriptor)
        }
        while true {
            if let result = answer.result.withLock({ $0 }) { return try result.get() }
            var descriptors = [
                pollfd(fd: answer.wakeDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&descriptors, 2, -1)
            try takeSignals(signals)
        }
    }

    private func takeSignals(_ descriptor: Int32) throws(Stopped) {
        while true {
            let signal = ct_read_signal(descriptor)
            switch signal {
            case 0: return
            case SIGTSTP: ct_stop_self()
            case SIGWINCH, SIGCONT: continue
            default: throw Stopped(signal: signal)
            }
        }
    }
}

import Glibc

/// SIGTERM and SIGINT, blocked for all threads and taken by the one that waits.
struct TerminationSignals {
    private var set = sigset_t()

    init() {
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Blocks until one arrives.
    func wait() {
        var set = set
        var arrived: Int32 = 0
        while sigwait(&set, &arrived) == EINTR {}
    }

    /// Calls `body` on a thread of its own when one arrives.
    func onArrival(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Arrival(signals: self, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let arrival = Unmanaged<Arrival>.fromOpaque(argument).takeRetainedValue()
                arrival.signals.wait()
                arrival.body()
                return nil
            }, box.toOpaque())
        if code != 0 { box.release() }
    }

    private final class Arrival {
        let signals: TerminationSignals
        let body: @Sendable () -> Void

        init(signals: TerminationSignals, body: @escaping @Sendable () -> Void) {
            self.signals = signals
            self.body = body
        }
    }
}

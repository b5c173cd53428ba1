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
}

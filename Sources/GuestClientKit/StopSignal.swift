import CUSBFS
import Glibc

/// A one-way switch that a thread blocked in poll() can wait for.
public final class StopSignal: Sendable {
    /// Readable once stopped, and for ever after.
    public let descriptor: Int32

    public init() throws(GuestError) {
        descriptor = cusbfs_eventfd()
        guard descriptor >= 0 else { throw .failed("eventfd: \(errorText(-descriptor))") }
    }

    deinit { close(descriptor) }

    public func stop() {
        // EAGAIN would mean a full counter, which is stopped as well.
        _ = cusbfs_eventfd_signal(descriptor)
    }

    public var isStopped: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}

import CUSBFS
import Glibc

/// The kernel's announcements of devices that come and go (netlink, NETLINK_KOBJECT_UEVENT).
final class UeventSocket: Sendable {
    private let descriptor: Int32

    init() throws(GuestError) {
        descriptor = cusbfs_uevent_socket()
        guard descriptor >= 0 else { throw .systemCall(-descriptor, "uevent socket") }
    }

    deinit { close(descriptor) }

    /// Blocks until a USB device or driver changed (or messages were lost), the time is up, or `stop`.
    /// Messages from before the call count, so that open-then-scan-then-wait loses nothing.
    func waitForUSBChange(milliseconds: Int32?, stop: StopSignal) {
        let deadline = milliseconds.map { monotonicMilliseconds() + Int64($0) }
        while true {
            let left = deadline.map { Int32(clamping: max(0, $0 - monotonicMilliseconds())) } ?? -1
            var entries = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&entries, 2, left)
            if ready < 0 && errno == EINTR { continue }
            if ready <= 0 || entries[1].revents != 0 { return }
            if takeAll() { return }
        }
    }

    /// Readable when there is something to take, for a poll() of several things.
    var fileDescriptor: Int32 { descriptor }

    /// Empties the queue; true when it held news about USB.
    @discardableResult
    func takeAll() -> Bool {
        var isNews = false
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                cusbfs_uevent_receive(descriptor, $0.baseAddress, Int32($0.count))
            }
            switch count {
            case -EINTR: continue
            case -EAGAIN: return isNews
            case -ENOBUFS: isNews = true
            case ..<0: return true
            default: isNews = Self.isUSB(buffer.prefix(Int(count))) || isNews
            }
        }
    }

    /// Whether a message ("action@path", then NUL separated KEY=value) is about the USB subsystem.
    static func isUSB(_ message: some Sequence<UInt8>) -> Bool {
        Array(message).split(separator: 0).contains { $0.elementsEqual("SUBSYSTEM=usb".utf8) }
    }
}

/// Milliseconds of the clock that never steps.
func monotonicMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

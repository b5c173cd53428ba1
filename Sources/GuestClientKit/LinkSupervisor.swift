import Dispatch
import Glibc
import NIOCore

/// Keeps a session open: opens, pumps, and waits for the device to return. Runs on a thread of its own.
final class LinkSupervisor: Sendable {
    private static let retryMilliseconds: Int32 = 1000

    private let transport: any PipeTransport
    private let link: NIOLoopBound<DeviceLink>
    private let eventLoop: any EventLoop
    private let stop: StopSignal
    private let report: @Sendable (String) -> Void

    init(
        transport: any PipeTransport, link: NIOLoopBound<DeviceLink>, eventLoop: any EventLoop, stop: StopSignal,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.transport = transport
        self.link = link
        self.eventLoop = eventLoop
        self.stop = stop
        self.report = report
    }

    /// Blocks until `stop`. The session given is the first; nil: open one.
    func run(first: (any PipeSession)?) {
        var next = first
        var lastComplaint: GuestError?
        while !stop.isStopped {
            do throws(GuestError) {
                let session: any PipeSession
                if let given = next {
                    session = given
                    next = nil
                } else {
                    session = try transport.open()
                    report("connected: \(session.title)")
                }
                lastComplaint = nil
                let began = monotonicMilliseconds()
                let end = try serve(session)
                if end == .stopped { return }
                let report = report
                // When HTTP/2 gave up, the link knows why.
                onLoop { report("disconnected: \(end == .clientClosed ? $0.reason : end.description)") }
                // A session that ends at once would end again: give the device a moment, or news.
                if monotonicMilliseconds() - began < Int64(Self.retryMilliseconds) && end != .deviceGone {
                    transport.waitForChange(milliseconds: Self.retryMilliseconds, stop: stop)
                }
            } catch {
                onLoop { $0.unavailable(error.description) }
                if case .noSuchDevice = error {
                    transport.waitForChange(milliseconds: nil, stop: stop)
                } else {
                    // Busy, forbidden: the change that helps may not be announced by the kernel.
                    if error != lastComplaint { report("waiting: \(error)") }
                    lastComplaint = error
                    transport.waitForChange(milliseconds: Self.retryMilliseconds, stop: stop)
                }
            }
        }
    }

    private func serve(_ session: any PipeSession) throws(GuestError) -> PipeEnd {
        var ends: [CInt] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .failed("socketpair: \(errorText(errno))")
        }
        let (ours, theirs, service) = (ends[0], ends[1], session.service)
        onLoop { $0.opened(socket: theirs, service: service) }
        let end = session.run(socket: ours, stop: stop)
        if end != .clientClosed { waitForLoop { $0.lost(end.description) } }
        close(ours)
        return end
    }

    /// Blocks until `body` has run. The loop handles sockets before tasks: were the socket closed at once, the open
    /// requests would learn that their stream ended, but not why.
    private func waitForLoop(_ body: @escaping @Sendable (DeviceLink) -> Void) {
        let link = link
        let done = DispatchSemaphore(value: 0)
        eventLoop.execute {
            body(link.value)
            done.signal()
        }
        done.wait()
    }

    private func onLoop(_ body: @escaping @Sendable (DeviceLink) -> Void) {
        let link = link
        eventLoop.execute { body(link.value) }
    }
}

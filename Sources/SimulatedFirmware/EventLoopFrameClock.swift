import NIOCore
import USBDevice

/// The frame clock of a device on an event loop: the loop's own monotonic time in microframes.
public final class EventLoopFrameClock: FrameClock {
    private static let microframe: Int64 = 125_000

    private let eventLoop: any EventLoop
    private let origin: NIODeadline

    /// Call it, and use the clock, on `eventLoop`.
    public init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        origin = eventLoop.now
    }

    public var microframe: Int { Int((eventLoop.now - origin).nanoseconds / Self.microframe) }

    public func schedule(at microframe: Int, _ body: @escaping () -> Void) -> FrameTimer {
        let deadline = origin + .nanoseconds(Int64(microframe) * Self.microframe)
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { body() }
        return FrameTimer { task.cancel() }
    }
}

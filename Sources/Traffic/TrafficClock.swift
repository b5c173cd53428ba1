#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The time source of a recorder: a monotonic clock for what is measured, a wall offset for what is shown.
public struct TrafficClock {
    /// Nanoseconds since any fixed moment; never goes back.
    public var now: () -> UInt64
    /// Wall clock less monotonic clock, in seconds; asked only when rows are read, so a set clock shows at once.
    public var wallOffset: () -> Double

    public init(now: @escaping () -> UInt64, wallOffset: @escaping () -> Double) {
        self.now = now
        self.wallOffset = wallOffset
    }

    /// The machine's clocks.
    public static var system: TrafficClock {
        TrafficClock(
            now: { nanoseconds(CLOCK_MONOTONIC) },
            wallOffset: { (Double(nanoseconds(CLOCK_REALTIME)) - Double(nanoseconds(CLOCK_MONOTONIC))) / 1e9 })
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }
}

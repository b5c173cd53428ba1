import Foundation

/// The wall clock.
enum Clock {
    /// Seconds since 1970-01-01 UTC.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Seconds that local time is ahead of UTC.
    static var offsetFromUTC: Int {
        var time = time_t(now)
        var parts = tm()
        return localtime_r(&time, &parts) == nil ? 0 : parts.tm_gmtoff
    }
}

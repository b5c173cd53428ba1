/// How many events a source may cause: a burst, then one a second; what is more is counted and told with the next.
struct EventBudget {
    static let burst = 20.0

    private var left = Self.burst
    private var last: Double?
    private var suppressed = 0

    /// - Returns: how many were left out before this one; nil when this one is to be left out, too.
    mutating func take(at now: Double) -> Int? {
        left = min(Self.burst, left + max(0, now - (last ?? now)))
        last = now
        guard left >= 1 else {
            suppressed += 1
            return nil
        }
        left -= 1
        defer { suppressed = 0 }
        return suppressed
    }
}

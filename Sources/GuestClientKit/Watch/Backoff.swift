/// How long to wait before the next try: a second, then twice as long each time, half a minute at most.
struct Backoff: Equatable {
    private static let first: Int64 = 1000
    private static let longest: Int64 = 30_000

    private var next = Backoff.first

    /// Milliseconds.
    mutating func wait() -> Int64 {
        defer { next = min(next * 2, Self.longest) }
        return next
    }

    mutating func reset() { next = Self.first }
}

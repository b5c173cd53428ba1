/// Tells nearly always without a search that no pending request has an id, which each new request must be asked.
///
/// A guest chooses its ids as it likes, so that they name no slot; one that makes them meet here buys itself a walk over
/// what it has pending, which is bounded.
struct GuestIDFilter {
    private static let bits = 10
    /// Pending requests by hash of their id.
    private var counts = [UInt16](repeating: 0, count: 1 << bits)

    /// Pending requests.
    private(set) var count = 0

    func mayContain(_ id: UInt64) -> Bool { counts[Self.hash(id)] > 0 }

    mutating func insert(_ id: UInt64) {
        counts[Self.hash(id)] &+= 1
        count &+= 1
    }

    mutating func remove(_ id: UInt64) {
        counts[Self.hash(id)] &-= 1
        count &-= 1
    }

    /// Fibonacci hashing: ids that count up, or are addresses in a ring, spread evenly.
    private static func hash(_ id: UInt64) -> Int {
        Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - bits))
    }
}

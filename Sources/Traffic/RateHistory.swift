import ControlProtocol
import USBCore

/// Bytes and transfers in fixed half seconds, the last two minutes of them.
///
/// It moves on only when something is recorded or read: an idle device costs nothing, a silent gap is filled with zeros
/// when it ends.
struct RateHistory {
    static let slotNanoseconds: UInt64 = 500_000_000
    static let slotSeconds = 0.5
    /// Finished samples kept.
    static let capacity = 240
    /// One more is being filled.
    private static let ringSize = capacity + 1
    /// Memory once anything was recorded.
    static let bytes = ringSize * MemoryLayout<RateSample>.stride

    /// The slot that is being filled; in the ring once it is over.
    private var filling = RateSample.zero
    /// Made at the first record.
    private var ring: [RateSample] = []
    /// Slot numbers since the clock's zero: of the first record, and of the one being filled.
    private var first: UInt64 = 0
    private var current: UInt64 = 0
    /// Where the current slot ends on the clock.
    private var end: UInt64 = 0
    private var position = 0

    var allocatedBytes: Int { ring.capacity * MemoryLayout<RateSample>.stride }

    mutating func record(_ direction: Direction, bytes: UInt64, at now: UInt64) {
        if now >= end { advance(to: now) }
        if direction == .in {
            filling.bytesIn &+= bytes
        } else {
            filling.bytesOut &+= bytes
        }
        filling.transfers &+= 1
    }

    /// Finished samples, oldest first: at most `capacity`, none before the first record.
    mutating func samples(at now: UInt64) -> [RateSample] {
        if ring.isEmpty { return [] }
        if now >= end { advance(to: now) }
        let count = Int(min(current - first, UInt64(Self.capacity)))
        return (0..<count).map { ring[(position + Self.ringSize - count + $0) % Self.ringSize] }
    }

    private mutating func advance(to now: UInt64) {
        let slot = now / Self.slotNanoseconds
        if ring.isEmpty {
            ring = [RateSample](repeating: .zero, count: Self.ringSize)
            first = slot
            current = slot
        }
        // A clock that went back stays in the slot it had.
        if slot > current {
            ring[position] = filling
            filling = .zero
            for _ in 0..<min(slot - current, UInt64(Self.ringSize)) {
                position = position + 1 == Self.ringSize ? 0 : position + 1
                ring[position] = .zero
            }
            current = slot
        }
        end = (current &+ 1) &* Self.slotNanoseconds
    }
}

extension RateSample {
    fileprivate static let zero = RateSample(bytesIn: 0, bytesOut: 0, transfers: 0)
}

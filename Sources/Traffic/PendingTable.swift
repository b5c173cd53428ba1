import USBCore

/// Submitted transfers that have not completed, by id: open addressing, since two look-ups a transfer through the
/// standard dictionary would cost more than everything else the recorder does.
struct PendingTable {
    /// What the row of a transfer needs from its submission.
    struct Entry {
        var id: TransferID
        /// Monotonic nanoseconds.
        var submitted: UInt64
        var setup: SetupPacket?
        /// The OUT payload: the same storage that the device holds until completion, not a copy.
        var data: [UInt8]
        var length: Int
    }

    static let slotBytes = MemoryLayout<Entry?>.stride
    private static let firstSlots = 16

    /// A power of two, at most half of it in use.
    private var slots: [Entry?] = []
    private(set) var count = 0
    let limit: Int
    /// Random, so that a guest that picks its ids cannot pick collisions.
    private let multiplier = UInt64.random(in: 0 ... .max) | 1

    init(limit: Int) {
        self.limit = limit
    }

    /// Slots for `limit` entries.
    static func slots(for limit: Int) -> Int {
        var slots = firstSlots
        while slots < limit * 2 { slots *= 2 }
        return slots
    }

    var allocatedBytes: Int { slots.capacity * Self.slotBytes }

    /// - Returns: false when the id is pending already or the table is full; nothing is stored then.
    mutating func insert(_ entry: Entry) -> Bool {
        guard count < limit else { return false }
        if count * 2 >= slots.count { grow() }
        var slot = home(entry.id)
        while let present = slots[slot] {
            if present.id == entry.id { return false }
            slot = next(slot)
        }
        slots[slot] = entry
        count += 1
        return true
    }

    mutating func remove(_ id: TransferID) -> Entry? {
        if count == 0 { return nil }
        var slot = home(id)
        while let present = slots[slot] {
            if present.id == id {
                close(slot)
                count -= 1
                return present
            }
            slot = next(slot)
        }
        return nil
    }

    /// Empties a slot and moves back what was displaced past it, so that probing never meets a false end.
    private mutating func close(_ slot: Int) {
        var hole = slot
        var slot = next(slot)
        let mask = slots.count - 1
        while let candidate = slots[slot] {
            let distance = (slot &- home(candidate.id)) & mask
            if distance >= (slot &- hole) & mask {
                slots[hole] = candidate
                hole = slot
            }
            slot = next(slot)
        }
        slots[hole] = nil
    }

    private mutating func grow() {
        let old = slots
        slots = [Entry?](repeating: nil, count: max(Self.firstSlots, old.count * 2))
        for case let entry? in old {
            var slot = home(entry.id)
            while slots[slot] != nil { slot = next(slot) }
            slots[slot] = entry
        }
    }

    private func home(_ id: TransferID) -> Int {
        Int(truncatingIfNeeded: (id &* multiplier) >> 32) & (slots.count - 1)
    }

    private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
}

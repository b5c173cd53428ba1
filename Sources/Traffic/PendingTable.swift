import USBCore

/// Submitted transfers that have not completed, by id: open addressing, since two look-ups a transfer through the
/// standard dictionary would cost more than everything else the recorder does.
struct PendingTable {
    /// What the row of a transfer needs from its submission.
    struct Entry {
        /// Monotonic nanoseconds.
        var submitted: UInt64
        var setup: SetupPacket?
        /// The OUT payload: the same storage that the device holds until completion, not a copy.
        var data: [UInt8]
        var length: Int

        static let none = Entry(submitted: 0, setup: nil, data: [], length: 0)
    }

    /// An id and where its entry is; slots move when others are removed, entries stay.
    private struct Slot {
        var id: TransferID = 0
        /// Position in `entries`; negative: empty.
        var place: Int32 = -1
    }

    private static let firstSlots = 16

    /// A power of two, at most half of it in use.
    private var slots: [Slot] = []
    private var entries: [Entry] = []
    /// Positions in `entries` that are not in use.
    private var free: [Int32] = []
    private(set) var count = 0
    let limit: Int
    /// Random, so that a guest that picks its ids cannot pick collisions.
    private let multiplier = UInt64.random(in: 0 ... .max) | 1

    init(limit: Int) {
        self.limit = limit
    }

    /// Memory of a table of `limit` entries at most, without their payloads.
    static func bytes(for limit: Int) -> Int {
        var size = firstSlots
        while size < limit * 2 { size *= 2 }
        return size * MemoryLayout<Slot>.stride + size / 2 * (MemoryLayout<Entry>.stride + MemoryLayout<Int32>.stride)
    }

    var allocatedBytes: Int {
        slots.count * MemoryLayout<Slot>.stride
            + slots.count / 2 * (MemoryLayout<Entry>.stride + MemoryLayout<Int32>.stride)
    }

    /// - Returns: false when the id is pending already or the table is full; nothing is stored then.
    mutating func insert(_ id: TransferID, _ entry: Entry) -> Bool {
        guard count < limit else { return false }
        if count * 2 >= slots.count { grow() }
        var slot = home(id)
        while slots[slot].place >= 0 {
            if slots[slot].id == id { return false }
            slot = next(slot)
        }
        guard let place = free.popLast() else { return false }
        entries[Int(place)] = entry
        slots[slot] = Slot(id: id, place: place)
        count += 1
        return true
    }

    mutating func remove(_ id: TransferID) -> Entry? {
        if count == 0 { return nil }
        var slot = home(id)
        while slots[slot].place >= 0 {
            if slots[slot].id == id {
                let place = slots[slot].place
                close(slot)
                count -= 1
                free.append(place)
                var entry = Entry.none
                swap(&entry, &entries[Int(place)])
                return entry
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
        while slots[slot].place >= 0 {
            let distance = (slot &- home(slots[slot].id)) & mask
            if distance >= (slot &- hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = next(slot)
        }
        slots[hole] = Slot()
    }

    private mutating func grow() {
        let old = slots
        let size = max(Self.firstSlots, old.count * 2)
        slots = [Slot](repeating: Slot(), count: size)
        for moved in old where moved.place >= 0 {
            var slot = home(moved.id)
            while slots[slot].place >= 0 { slot = next(slot) }
            slots[slot] = moved
        }
        let before = entries.count
        entries.reserveCapacity(size / 2)
        free.reserveCapacity(size / 2)
        for place in before..<size / 2 {
            entries.append(.none)
            free.append(Int32(place))
        }
    }

    private func home(_ id: TransferID) -> Int {
        Int(truncatingIfNeeded: (id &* multiplier) >> 32) & (slots.count - 1)
    }

    private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
}

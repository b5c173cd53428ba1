import USBCore

/// What belongs to pending transfers, found by the slot that a transfer's id names: nothing is hashed, and nothing is
/// allocated once it has grown to the number of transfers that are pending at once.
///
/// The low bits of an id are its slot; the bits above tell a transfer from those that had the slot before, so that a
/// late completion finds nothing. A wire lets `add` choose its ids; whoever is behind the wire files what it knows of a
/// transfer under that id with `insert`.
public struct TransferSlots<Context> {
    @usableFromInline struct Entry {
        @usableFromInline var id: TransferID = 0
        /// nil: the slot is free.
        @usableFromInline var context: Context?
        // Neighbours in the ring that the entry is in: of free slots, or of pending transfers in order of submission.
        @usableFromInline var before: Int32
        @usableFromInline var after: Int32

        @inlinable init(context: Context? = nil, before: Int, after: Int) {
            self.context = context
            self.before = Int32(truncatingIfNeeded: before)
            self.after = Int32(truncatingIfNeeded: after)
        }
    }

    /// The ring of pending transfers, the ring of free slots, then slot 0 and so on; empty before first use.
    @usableFromInline var entries: [Entry] = []
    @usableFromInline var additions: TransferID = 0
    @usableFromInline var pendingCount = 0

    /// Pending transfers.
    @inlinable public var count: Int { pendingCount }

    /// Slots there can be, and so transfers that can be pending.
    @inlinable public static var capacity: Int { 1 << slotBits }
    @inlinable static var slotBits: Int { 12 }
    @inlinable static var pendingRing: Int { 0 }
    @inlinable static var freeRing: Int { 1 }
    @inlinable static var firstSlot: Int { 2 }

    @inlinable public init() {}

    /// The slot that `id` names, less than `capacity`.
    @inlinable public static func slot(of id: TransferID) -> Int {
        Int(truncatingIfNeeded: id) & (capacity - 1)
    }

    /// Memory with every slot in use, in bytes, without what contexts refer to.
    public static var maximumBytes: Int { (firstSlot + capacity) * MemoryLayout<Entry>.stride }

    /// Memory now, in bytes, without what contexts refer to.
    public var allocatedBytes: Int { entries.count * MemoryLayout<Entry>.stride }

    /// Gives a transfer an id that no other has had.
    ///
    /// - Returns: nil when as many are pending as can be.
    @inlinable public mutating func add(_ context: Context) -> TransferID? {
        if pendingCount == entries.count &- Self.firstSlot || entries.isEmpty {
            guard pendingCount < Self.capacity else { return nil }
            grow(toHold: pendingCount)
        }
        additions &+= 1
        let generation = additions << Self.slotBits
        pendingCount &+= 1
        return entries.withUnsafeMutableBufferPointer { entries in
            let position = Int(entries[Self.freeRing].after)
            let id = generation | TransferID(truncatingIfNeeded: position &- Self.firstSlot)
            entries[position].id = id
            entries[position].context = context
            Self.move(position, after: Int(entries[Self.pendingRing].before), in: entries)
            return id
        }
    }

    /// Files `context` under an id that is pending elsewhere.
    ///
    /// - Returns: false, and nothing is changed, when the slot of `id` is taken.
    @inlinable public mutating func insert(_ context: Context, for id: TransferID) -> Bool {
        let position = Self.position(of: id)
        if position >= entries.count { grow(toHold: position &- Self.firstSlot) }
        let inserted = entries.withUnsafeMutableBufferPointer { entries in
            guard entries[position].context == nil else { return false }
            entries[position].id = id
            entries[position].context = context
            Self.move(position, after: Int(entries[Self.pendingRing].before), in: entries)
            return true
        }
        if inserted { pendingCount &+= 1 }
        return inserted
    }

    /// What belongs to `id`, nil when it is not pending.
    @inlinable public subscript(id: TransferID) -> Context? {
        let position = Self.position(of: id)
        guard position < entries.count, entries[position].id == id else { return nil }
        return entries[position].context
    }

    /// Whether `id` is pending.
    @inlinable public func contains(_ id: TransferID) -> Bool {
        let position = Self.position(of: id)
        return position < entries.count && entries[position].id == id && entries[position].context != nil
    }

    /// Frees the slot of `id`; nil when it is not pending.
    @inlinable public mutating func remove(_ id: TransferID) -> Context? {
        let position = Self.position(of: id)
        let removed: Context? = entries.withUnsafeMutableBufferPointer { entries in
            guard position < entries.count, entries[position].id == id,
                let context = entries[position].context.take()
            else { return nil }
            Self.move(position, after: Self.freeRing, in: entries)
            return context
        }
        if removed != nil { pendingCount &-= 1 }
        return removed
    }

    /// Pending transfers in the order of their submission.
    public var ids: [TransferID] {
        var found: [TransferID] = []
        found.reserveCapacity(pendingCount)
        forEach { id, _ in found.append(id) }
        return found
    }

    /// The first pending transfer, in order of submission, that `isWanted`; looks at all that are pending.
    @inlinable public func first(where isWanted: (Context) -> Bool) -> TransferID? {
        guard pendingCount > 0 else { return nil }
        var position = Int(entries[Self.pendingRing].after)
        while position != Self.pendingRing {
            if let context = entries[position].context, isWanted(context) { return entries[position].id }
            position = Int(entries[position].after)
        }
        return nil
    }

    /// Pending transfers in the order of their submission.
    @inlinable public func forEach(_ body: (TransferID, Context) -> Void) {
        guard pendingCount > 0 else { return }
        var position = Int(entries[Self.pendingRing].after)
        while position != Self.pendingRing {
            if let context = entries[position].context { body(entries[position].id, context) }
            position = Int(entries[position].after)
        }
    }

    // MARK: Inside

    @inlinable static func position(of id: TransferID) -> Int { slot(of: id) &+ firstSlot }

    /// Takes an entry out of its ring and puts it behind another one.
    @inlinable static func move(_ position: Int, after place: Int, in entries: UnsafeMutableBufferPointer<Entry>) {
        let moved = Int32(truncatingIfNeeded: position)
        let (before, after) = (entries[position].before, entries[position].after)
        entries[Int(before)].after = after
        entries[Int(after)].before = before
        let next = entries[place].after
        entries[position].before = Int32(truncatingIfNeeded: place)
        entries[position].after = next
        entries[place].after = moved
        entries[Int(next)].before = moved
    }

    /// Makes room for `slot`, doubling, up to `capacity`; the first new slot is the first to be given out.
    @usableFromInline mutating func grow(toHold slot: Int) {
        if entries.isEmpty {
            for ring in [Self.pendingRing, Self.freeRing] { entries.append(Entry(before: ring, after: ring)) }
        }
        let present = entries.count - Self.firstSlot
        var slots = max(16, present)
        while slots <= slot { slots *= 2 }
        entries.reserveCapacity(Self.firstSlot + slots)
        for _ in present..<max(present, slots) {
            let position = entries.count
            entries.append(Entry(before: position, after: position))
            entries.withUnsafeMutableBufferPointer {
                Self.move(position, after: Int($0[Self.freeRing].before), in: $0)
            }
        }
    }
}

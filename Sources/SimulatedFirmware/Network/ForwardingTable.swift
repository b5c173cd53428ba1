/// Which member has which address: a bounded table that forgets what it has not heard of for a while.
struct ForwardingTable: Sendable {
    static let capacity = 1024
    /// Seconds.
    static let lifetime = 300.0

    private var entries: [MACAddress: (member: Int, seen: Double)] = [:]

    var count: Int { entries.count }

    mutating func learn(_ address: MACAddress, at member: Int, now: Double) {
        if entries[address] == nil, entries.count >= Self.capacity {
            entries = entries.filter { now - $0.value.seen < Self.lifetime }
            // Full of the living: the new one is flooded until there is room.
            if entries.count >= Self.capacity { return }
        }
        entries[address] = (member, now)
    }

    func member(of address: MACAddress, now: Double) -> Int? {
        guard let entry = entries[address], now - entry.seen < Self.lifetime else { return nil }
        return entry.member
    }

    mutating func forget(member: Int) { entries = entries.filter { $0.value.member != member } }
}

/// How many frames a member may have sent to everybody: so many a second, and so many at once.
struct StormLimit: Sendable {
    static let framesPerSecond = 2000.0

    private var credit = framesPerSecond
    private var last: Double?

    mutating func admits(now: Double) -> Bool {
        if let last { credit = min(Self.framesPerSecond, credit + max(0, now - last) * Self.framesPerSecond) }
        last = now
        guard credit >= 1 else { return false }
        credit -= 1
        return true
    }
}

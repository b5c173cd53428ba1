/// Notices registers that are read again and again without a change.
final class PollWatch {
    /// Reads without a change after which a register is named.
    static let limit = 10_000

    private struct Entry {
        var address: UInt32 = .max
        var value: UInt32 = 0
        var count = 0
    }

    private var entries = [Entry](repeating: Entry(), count: 16)
    private var reported: Set<UInt32> = []

    /// - Returns: true when this register is to be named now; once for each.
    func note(_ address: UInt32, _ value: UInt32) -> Bool {
        let slot = Int((address >> 2 ^ address >> 10) & 15)
        guard entries[slot].address == address, entries[slot].value == value else {
            entries[slot] = Entry(address: address, value: value, count: 1)
            return false
        }
        entries[slot].count &+= 1
        guard entries[slot].count == Self.limit else { return false }
        return reported.insert(address).inserted
    }

    /// A register that is written between reads is being worked with, not waited for.
    func wrote(_ address: UInt32) {
        let slot = Int((address >> 2 ^ address >> 10) & 15)
        if entries[slot].address == address { entries[slot].count = 0 }
    }

    func forget() {
        for index in entries.indices { entries[index] = Entry() }
        reported = []
    }
}

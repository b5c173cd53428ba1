/// The receive FIFO that all OUT endpoints share: status words with the data that follows each (RM0090 section 34.16.2,
/// GRXSTSP).
struct ReceiveFIFO {
    /// PKTSTS of device mode.
    enum Status: UInt32 {
        case outData = 2
        case outDone = 3
        case setupDone = 4
        case setupData = 6
    }

    struct Entry {
        var status: Status
        var endpoint: UInt8
        var data: [UInt8] = []
        /// DATA1.
        var toggle = false

        /// GRXSTSP.
        var word: UInt32 {
            UInt32(endpoint) | UInt32(data.count) << 4 | (toggle ? 2 << 15 : 0) | status.rawValue << 17
        }
        var words: Int { 1 + (data.count + 3) / 4 }
    }

    private(set) var entries: [Entry] = []
    /// What is left of the entry that was popped last.
    private var open: ArraySlice<UInt8> = []
    private var usedWords = 0

    var isEmpty: Bool { entries.isEmpty }
    var first: Entry? { entries.first }
    var setups: Int { entries.reduce(0) { $0 + ($1.status == .setupData ? 1 : 0) } }

    /// - Parameter depth: words of the FIFO.
    func hasRoom(for count: Int, depth: Int) -> Bool { usedWords + 2 + (count + 3) / 4 <= depth }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        usedWords += entry.words
    }

    mutating func pop() -> Entry? {
        guard !entries.isEmpty else { return nil }
        let entry = entries.removeFirst()
        usedWords -= entry.words
        open = entry.data[...]
        return entry
    }

    /// The next word of data; 0 when there is none.
    mutating func readWord() -> UInt32 {
        var word: UInt32 = 0
        for (index, byte) in open.prefix(4).enumerated() { word |= UInt32(byte) << UInt32(index * 8) }
        open = open.dropFirst(4)
        return word
    }

    mutating func flush() {
        entries = []
        open = []
        usedWords = 0
    }
}

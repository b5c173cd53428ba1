import USBCore

/// The newest completed transfers of a device, in fixed-size rows; the oldest fall out when it is full.
struct TransferRing {
    /// Payload bytes kept of each transfer.
    static let headLength = 64
    /// Memory of one row.
    static let rowBytes = MemoryLayout<Row>.stride

    /// One completed transfer as it was; text is made when it is read.
    struct Row {
        /// Monotonic nanoseconds.
        var submitted: UInt64
        var completed: UInt64
        var length: Int
        var actual: Int
        var setup: SetupPacket?
        var endpoint: EndpointAddress
        var status: TransferStatus
        var headCount: UInt8
        /// Position in the recorder's assignments.
        var assignment: UInt16
        /// Inline: a ring that is full allocates nothing.
        var head: SIMD64<UInt8>
    }

    private var rows: [Row] = []
    /// Position of the oldest row; 0 until the ring is full.
    private var start = 0
    private let limit: Int
    private var reserved = 0
    /// Rows that fell out.
    private(set) var dropped: UInt64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { rows.count }
    /// Sequence of the newest row, 0 when there was none: rows are numbered from 1 without gaps.
    var lastSequence: UInt64 { dropped + UInt64(rows.count) }
    var allocatedBytes: Int { reserved * Self.rowBytes }

    mutating func append(_ row: Row) {
        if rows.count == limit {
            rows[start] = row
            start = start + 1 == limit ? 0 : start + 1
            dropped += 1
            return
        }
        if rows.count == reserved {
            // Grown by our own rule: the standard one would overshoot the bound.
            reserved = min(limit, max(32, reserved * 2))
            rows.reserveCapacity(reserved)
        }
        rows.append(row)
    }

    /// The newest `limit` rows after `sequence` that `isWanted`, oldest first.
    func newest(
        _ limit: Int, after sequence: UInt64, where isWanted: (Row) -> Bool
    ) -> [(sequence: UInt64, row: Row)] {
        var found: [(sequence: UInt64, row: Row)] = []
        var index = rows.count
        while index > 0, found.count < limit {
            index -= 1
            let number = dropped + UInt64(index) + 1
            if number <= sequence { break }
            let position = (start + index) % rows.count
            if isWanted(rows[position]) { found.append((number, rows[position])) }
        }
        return found.reversed()
    }
}

extension TransferRing.Row {
    /// Keeps the first bytes of a payload; the rest of `head` stays zero.
    mutating func keepHead(of bytes: [UInt8]) {
        let count = min(bytes.count, TransferRing.headLength)
        guard count > 0 else { return }
        headCount = UInt8(count)
        withUnsafeMutableBytes(of: &head) { target in
            bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}

extension SIMD64<UInt8> {
    /// Its first `count` bytes.
    func bytes(_ count: Int) -> [UInt8] {
        withUnsafeBytes(of: self) { Array($0.prefix(count)) }
    }
}

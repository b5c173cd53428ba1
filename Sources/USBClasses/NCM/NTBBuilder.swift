/// Puts Ethernet frames into one network transfer block for a host: header, frames, one table at the end.
public struct NTBBuilder: Sendable {
    public let format: NTBFormat
    /// dwNtbInMaxSize, bytes.
    public let capacity: Int
    /// Frames; 0: as many as go in.
    public let maximumFrames: Int
    public let appendsCRC: Bool
    private let sequence: UInt16
    private var bytes: [UInt8] = []
    private var entries: [(index: Int, length: Int)] = []

    public init(
        format: NTBFormat = .ntb16, capacity: Int = NCM.maximumBlockSize, maximumFrames: Int = 0,
        appendsCRC: Bool = false, sequence: UInt16
    ) {
        self.format = format
        // What the sizes of the narrow format can say.
        self.capacity = min(capacity, format == .ntb16 ? 65532 : capacity)
        self.maximumFrames = maximumFrames
        self.appendsCRC = appendsCRC
        self.sequence = sequence
        bytes = Array(repeating: 0, count: format.headerLength)
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// - Returns: false when the frame does not go into this block.
    public mutating func add(_ frame: [UInt8]) -> Bool {
        guard maximumFrames == 0 || entries.count < maximumFrames else { return false }
        let start = Self.aligned(bytes.count)
        let length = frame.count + (appendsCRC ? 4 : 0)
        let end = Self.aligned(start + length) + tableLength(entries: entries.count + 1)
        guard end <= capacity else { return false }
        bytes.append(contentsOf: repeatElement(0, count: start - bytes.count))
        bytes += frame
        if appendsCRC { bytes += LittleEndianBytes.of(EthernetCRC.of(frame)) }
        entries.append((start, length))
        return true
    }

    /// The block. It is never a whole number of packets unless it is full: a short packet ends the transfer.
    public consuming func finish(packetSize: Int) -> [UInt8] {
        let table = Self.aligned(bytes.count)
        bytes.append(contentsOf: repeatElement(0, count: table - bytes.count))
        let signature = appendsCRC ? format.checkedFramesSignature : format.framesSignature
        bytes += LittleEndianBytes.of(UInt32(signature))
        bytes += LittleEndianBytes.of(UInt16(truncatingIfNeeded: tableLength(entries: entries.count)))
        bytes.append(contentsOf: repeatElement(0, count: format.tablePrefix - 6))
        for entry in entries {
            append(entry.index)
            append(entry.length)
        }
        append(0)
        append(0)
        if packetSize > 0, bytes.count % packetSize == 0, bytes.count < capacity { bytes.append(0) }
        let total = bytes.count
        replace(at: 0, LittleEndianBytes.of(UInt32(format.headerSignature)))
        replace(at: 4, LittleEndianBytes.of(UInt16(format.headerLength)))
        replace(at: 6, LittleEndianBytes.of(sequence))
        replace(at: 8, number(total))
        replace(at: format.firstTablePlace, number(table))
        return bytes
    }

    private func tableLength(entries count: Int) -> Int { format.tablePrefix + (count + 1) * format.entryLength }

    private func number(_ value: Int) -> [UInt8] {
        format == .ntb16
            ? LittleEndianBytes.of(UInt16(truncatingIfNeeded: value))
            : LittleEndianBytes.of(UInt32(truncatingIfNeeded: value))
    }

    private mutating func append(_ value: Int) { bytes += number(value) }

    private mutating func replace(at index: Int, _ part: [UInt8]) {
        bytes.replaceSubrange(index..<index + part.count, with: part)
    }

    private static func aligned(_ value: Int) -> Int { (value + 3) & ~3 }
}

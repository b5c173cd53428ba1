/// Takes Ethernet frames out of a network transfer block that a host has sent; nothing in it is believed.
///
/// Frames together are never longer than the block, so overlapping datagrams do not multiply what it carries.
public struct NTBParser: Sendable {
    /// What is wrong with a block, a table or a datagram.
    public enum Fault: String, Sendable, Equatable, Error {
        case header = "wrong header"
        case blockLength = "wrong block length"
        case table = "wrong datagram table"
        case tableOverlap = "overlapping or looping datagram tables"
        case datagram = "datagram outside the block"
        case frameLength = "frame too short or too long"
        case tooMuch = "more datagram bytes than the block has"
        case checksum = "wrong CRC"
    }

    /// Frames in order, and what was dropped.
    public struct Block: Sendable, Equatable {
        public var frames: [[UInt8]] = []
        public var faults: [Fault] = []
    }

    /// Tables of one block that are followed.
    static let maximumTables = 64

    public var format: NTBFormat
    /// Bytes, without CRC.
    public var maximumFrameSize: Int

    public init(format: NTBFormat = .ntb16, maximumFrameSize: Int = NCM.maximumFrameSize) {
        self.format = format
        self.maximumFrameSize = maximumFrameSize
    }

    public func parse(_ bytes: [UInt8]) -> Block {
        var block = Block()
        guard let announced = format.blockLength(bytes),
            let first = LittleEndianBytes.number(bytes, at: format.firstTablePlace, width: format.width)
        else {
            block.faults.append(.header)
            return block
        }
        let length = announced == 0 ? bytes.count : announced
        guard length <= bytes.count, length >= format.headerLength else {
            block.faults.append(.blockLength)
            return block
        }
        var index = first
        var tables: [Range<Int>] = []
        var bytesLeft = length
        repeat {
            guard index >= format.headerLength, index % 4 == 0, index <= length - format.tablePrefix,
                let signature = LittleEndianBytes.number(bytes, at: index, width: 4),
                signature == format.framesSignature || signature == format.checkedFramesSignature,
                let tableLength = LittleEndianBytes.number(bytes, at: index + 4, width: 2),
                tableLength >= format.tablePrefix + 2 * format.entryLength,
                tableLength % format.tableAlignment == 0, tableLength <= length - index,
                let next = LittleEndianBytes.number(bytes, at: index + format.nextTablePlace, width: format.width)
            else {
                block.faults.append(.table)
                return block
            }
            let range = index..<index + tableLength
            guard tables.count < Self.maximumTables, !tables.contains(where: { $0.overlaps(range) }) else {
                block.faults.append(.tableOverlap)
                return block
            }
            tables.append(range)
            let isChecked = signature == format.checkedFramesSignature
            guard datagrams(bytes, range, length, isChecked: isChecked, &bytesLeft, &block) else { return block }
            index = next
        } while index != 0
        return block
    }

    /// - Returns: false when the rest of the block is not to be looked at.
    private func datagrams(
        _ bytes: [UInt8], _ table: Range<Int>, _ length: Int, isChecked: Bool, _ bytesLeft: inout Int,
        _ block: inout Block
    ) -> Bool {
        var place = table.lowerBound + format.tablePrefix
        while place <= table.upperBound - format.entryLength {
            guard let start = LittleEndianBytes.number(bytes, at: place, width: format.width),
                let count = LittleEndianBytes.number(bytes, at: place + format.width, width: format.width)
            else { return false }
            place += format.entryLength
            // Either one ends the table (NCM 1.0 section 3.3.1).
            if start == 0 || count == 0 { return true }
            guard start >= format.headerLength, start <= length, count <= length - start else {
                block.faults.append(.datagram)
                continue
            }
            guard count <= bytesLeft else {
                block.faults.append(.tooMuch)
                return false
            }
            bytesLeft -= count
            let payload = isChecked ? count - 4 : count
            guard payload >= NCM.minimumFrameSize, payload <= maximumFrameSize else {
                block.faults.append(.frameLength)
                continue
            }
            let frame = Array(bytes[start..<start + payload])
            if isChecked,
                LittleEndianBytes.number(bytes, at: start + payload, width: 4) != Int(EthernetCRC.of(frame))
            {
                block.faults.append(.checksum)
                continue
            }
            block.frames.append(frame)
        }
        return true
    }
}

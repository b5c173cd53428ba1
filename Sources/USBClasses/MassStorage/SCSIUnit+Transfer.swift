extension SCSIUnit {
    /// Which blocks READ, WRITE and VERIFY are about.
    private struct Extent {
        var block: UInt64
        var count: UInt64
    }

    /// Blocks of one command at most, told in the block limits page.
    var maximumBlocks: UInt64 { UInt64(BulkOnlyTransport.maximumTransfer / medium.blockSize) }

    /// As many as VERIFY(10) can name: a check cannot be taken back once it has begun.
    private static let maximumVerifiedBlocks: UInt64 = 65535

    func transfer(_ command: [UInt8], _ operation: SCSIOperation?) -> Plan {
        switch operation {
        case .read6, .read10, .read12, .read16:
            let extent = extent(command)
            if let sense = problem(with: extent, isTransferred: true) { return .fail(sense) }
            // A read with FUA sees what is durable or newer; the page cache is never older.
            return .read(offset: offset(extent), length: length(extent))
        case .write6, .write10, .write12, .write16:
            let extent = extent(command)
            if medium.isReadOnly { return .fail(.writeProtected) }
            if let sense = problem(with: extent, isTransferred: true) { return .fail(sense) }
            let isDurable = operation != .write6 && command.byte(1) & 0x08 != 0
            return .write(offset: offset(extent), length: length(extent), isDurable: isDurable)
        case .verify10, .verify12, .verify16:
            let extent = extent(command)
            switch command.byte(1) >> 1 & 3 {
            case 0:
                if let sense = problem(with: extent, isTransferred: false) { return .fail(sense) }
                guard extent.count <= Self.maximumVerifiedBlocks else { return .fail(.invalidField) }
                return .verify(offset: offset(extent), length: extent.count * UInt64(medium.blockSize))
            case 1:
                if let sense = problem(with: extent, isTransferred: true) { return .fail(sense) }
                return .compare(offset: offset(extent), length: length(extent))
            default:
                return .fail(.invalidField)
            }
        default:
            return .fail(.invalidOperationCode)
        }
    }

    private func extent(_ command: [UInt8]) -> Extent {
        // The group of an operation code tells the length of its command block (SPC-4 section 4.2.5.1).
        switch command.byte(0) >> 5 {
        case 0:
            let block = UInt64(UInt32(bigEndian: command, at: 0) & 0x1F_FFFF)
            return Extent(block: block, count: command.byte(4) == 0 ? 256 : UInt64(command.byte(4)))
        case 4:
            return Extent(
                block: UInt64(bigEndian: command, at: 2), count: UInt64(UInt32(bigEndian: command, at: 10)))
        case 5:
            return Extent(
                block: UInt64(UInt32(bigEndian: command, at: 2)), count: UInt64(UInt32(bigEndian: command, at: 6)))
        default:
            return Extent(
                block: UInt64(UInt32(bigEndian: command, at: 2)), count: UInt64(UInt16(bigEndian: command, at: 7)))
        }
    }

    private func problem(with extent: Extent, isTransferred: Bool) -> SCSISense? {
        guard extent.block <= medium.blockCount, extent.count <= medium.blockCount - extent.block else {
            var sense = SCSISense.blockOutOfRange
            sense.block = UInt32(exactly: extent.block)
            return sense
        }
        return isTransferred && extent.count > maximumBlocks ? .invalidField : nil
    }

    private func offset(_ extent: Extent) -> UInt64 { extent.block * UInt64(medium.blockSize) }
    private func length(_ extent: Extent) -> Int { Int(extent.count) * medium.blockSize }
}

extension SCSIUnit {
    /// INQUIRY (SPC-4 section 6.6) with the vital product data pages 00, 80, 83 and B0.
    func inquiry(_ command: [UInt8], lun: UInt8) -> Plan {
        let allocation = Int(UInt16(bigEndian: command, at: 3))
        let page = command.byte(2)
        // Nothing is, and nothing can be, at other units.
        let type = lun == 0 ? medium.type.rawValue : 0x7F
        guard command.byte(1) & 1 != 0 else {
            guard page == 0 else { return .fail(.invalidField) }
            return .respond(Array(standardInquiry(type).prefix(allocation)))
        }
        guard lun == 0, let body = vitalProductData(page) else { return .fail(.invalidField) }
        let bytes = [type, page] + UInt16(body.count).bigEndianBytes + body
        return .respond(Array(bytes.prefix(allocation)))
    }

    private func standardInquiry(_ type: UInt8) -> [UInt8] {
        // SPC-3, response format 2, without command queueing.
        [type, medium.isRemovable ? 0x80 : 0, 5, 2, 31, 0, 0, 0] + Self.text("2Virt", 8)
            + Self.text(medium.type == .cdrom ? "CD-ROM" : "Disk", 16) + Self.text("1.0", 4)
    }

    private func vitalProductData(_ page: UInt8) -> [UInt8]? {
        switch page {
        case 0x00: [0x00, 0x80, 0x83] + (medium.type == .disk ? [0xB0] : [])
        case 0x80: Self.text(medium.serialNumber, min(32, max(1, medium.serialNumber.utf8.count)))
        case 0x83:
            // One designator: binary, of the logical unit, NAA 3 (locally assigned).
            [0x01, 0x03, 0, 8] + (medium.identifier & (1 << 60 - 1) | 3 << 60).bigEndianBytes
        case 0xB0 where medium.type == .disk: blockLimits
        default: nil
        }
    }

    /// Block limits (SBC-3 section 6.5.3): how much one command may transfer, and should.
    private var blockLimits: [UInt8] {
        let maximum = UInt32(clamping: maximumBlocks).bigEndianBytes
        return [0, 0, 0, UInt8(4096 / medium.blockSize)] + maximum + maximum
            + [UInt8](repeating: 0, count: 60 - 12)
    }

    /// ASCII, cut or padded with spaces.
    static func text(_ text: String, _ length: Int) -> [UInt8] {
        let bytes = text.utf8.prefix(length).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "_") }
        return bytes + [UInt8](repeating: 0x20, count: length - bytes.count)
    }

    /// REPORT LUNS (SPC-4 section 6.33): unit 0 alone.
    func reportLUNs(_ command: [UInt8]) -> Plan {
        let allocation = Int(UInt32(bigEndian: command, at: 6))
        guard command.byte(2) <= 2, allocation >= 16 else { return .fail(.invalidField) }
        return .respond([0, 0, 0, 8, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8))
    }
}

extension SCSIUnit {
    /// MODE SENSE (SPC-4 sections 6.11 and 6.12) of the caching page and, on a CD-ROM, its capabilities.
    func modeSense(_ command: [UInt8], isLong: Bool) -> Plan {
        let control = command.byte(2) >> 6
        let (page, subpage) = (command.byte(2) & 0x3F, command.byte(3))
        let allocation = isLong ? Int(UInt16(bigEndian: command, at: 7)) : Int(command.byte(4))
        // Saved values.
        guard control != 3 else { return .fail(.savingNotSupported) }
        guard subpage == 0 || page == 0x3F && subpage == 0xFF else { return .fail(.invalidField) }
        let isChangeable = control == 1
        var pages: [UInt8] = []
        for (number, bytes) in modePages where page == 0x3F || page == number {
            pages += isChangeable ? bytes.prefix(2) + [UInt8](repeating: 0, count: bytes.count - 2) : bytes
        }
        guard !pages.isEmpty || page == 0x3F else { return .fail(.invalidField) }
        let descriptor = command.byte(1) & 0x08 != 0 || medium.type == .cdrom ? [] : blockDescriptor
        let device: UInt8 =
            medium.type == .cdrom ? 0 : (medium.isReadOnly ? 0x80 : 0) | (medium.hasWriteCache ? 0x10 : 0)
        let type: UInt8 = 0
        let rest = descriptor.count + pages.count
        let header: [UInt8] =
            isLong
            ? UInt16(clamping: rest + 6).bigEndianBytes + [type, device, 0, 0]
                + UInt16(clamping: descriptor.count).bigEndianBytes
            : [UInt8(clamping: rest + 3), type, device, UInt8(clamping: descriptor.count)]
        return .respond(Array((header + descriptor + pages).prefix(allocation)))
    }

    /// Why a MODE SELECT parameter list cannot be; nil when it asks for nothing new.
    func selectProblem(_ data: [UInt8]) -> SCSISense? {
        // Nothing is changeable: only the header, which hosts send to choose a block size that is there already.
        data.isEmpty || data.count >= 4 ? (data.count > 16 ? .invalidParameter : nil) : .parameterListLength
    }

    private var modePages: [(number: UInt8, bytes: [UInt8])] {
        switch medium.type {
        case .disk:
            // Caching (SBC-3 section 6.4.5): WCE tells whether the host must flush.
            [(0x08, [0x08, 18, medium.hasWriteCache ? 0x04 : 0] + [UInt8](repeating: 0, count: 17))]
        case .cdrom:
            // Capabilities (MMC-3 section 5.5.10): reads CD-R, CD-RW, DVD-ROM; locks, ejects, a tray.
            [(0x2A, [0x2A, 18, 0x3F, 0, 0x71, 0, 0x29, 0] + [UInt8](repeating: 0, count: 12))]
        }
    }

    /// Number of blocks and their size (SBC-3 section 6.4.2).
    private var blockDescriptor: [UInt8] {
        UInt32(clamping: medium.blockCount).bigEndianBytes + UInt32(medium.blockSize).bigEndianBytes
    }

    /// READ CAPACITY(10): the last block, all ones when it takes READ CAPACITY(16) to tell.
    func capacity10(_ command: [UInt8]) -> Plan {
        .respond(UInt32(clamping: medium.lastBlock).bigEndianBytes + UInt32(medium.blockSize).bigEndianBytes)
    }

    /// READ CAPACITY(16): eight logical blocks in a physical one on disks, so that partitions are aligned for the file.
    func capacity16(_ command: [UInt8]) -> Plan {
        let bytes =
            medium.lastBlock.bigEndianBytes + UInt32(medium.blockSize).bigEndianBytes
            + [0, medium.type == .disk ? 3 : 0] + [UInt8](repeating: 0, count: 18)
        return .respond(Array(bytes.prefix(Int(clamping: UInt32(bigEndian: command, at: 10)))))
    }

    /// READ FORMAT CAPACITIES (UFI, MMC-6 section 6.23): the current capacity.
    func formatCapacities(_ command: [UInt8]) -> Plan {
        let type: UInt8 = isLoaded ? 2 : 3
        let size = UInt32(medium.blockSize).bigEndianBytes.dropFirst()
        let bytes = [0, 0, 0, 8] + UInt32(clamping: medium.blockCount).bigEndianBytes + [type] + size
        return .respond(Array(bytes.prefix(Int(UInt16(bigEndian: command, at: 7)))))
    }
}

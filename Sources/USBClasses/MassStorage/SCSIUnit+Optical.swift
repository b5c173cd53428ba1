extension SCSIUnit {
    /// READ TOC/PMA/ATIP (MMC-6 section 6.25): one data track and the lead-out.
    func tableOfContents(_ command: [UInt8]) -> Plan {
        let usesTime = command.byte(1) & 2 != 0
        let allocation = Int(UInt16(bigEndian: command, at: 7))
        func track(_ number: UInt8, at block: UInt64) -> [UInt8] {
            [0, 0x14, number, 0] + (usesTime ? Self.time(block) : UInt32(clamping: block).bigEndianBytes)
        }
        let body: [UInt8]
        // The format is in byte 2, or in old hosts' commands in byte 9.
        switch command.byte(2) & 0x0F | command.byte(9) >> 6 {
        case 0:
            let first = command.byte(6)
            guard first <= 1 || first == 0xAA else { return .fail(.invalidField) }
            body = (first <= 1 ? track(1, at: 0) : []) + track(0xAA, at: medium.blockCount)
        case 1:
            body = track(1, at: 0)
        default:
            return .fail(.invalidField)
        }
        let bytes = UInt16(body.count + 2).bigEndianBytes + [1, 1] + body
        return .respond(Array(bytes.prefix(allocation)))
    }

    /// Minute, second and frame of a block; there are 75 in a second, and two seconds before the first.
    private static func time(_ block: UInt64) -> [UInt8] {
        let frames = block &+ 150
        return [0, UInt8(clamping: frames / 4500), UInt8(frames / 75 % 60), UInt8(frames % 75)]
    }

    /// GET CONFIGURATION (MMC-6 section 6.5): the profile of what is loaded, by its size, and no features.
    func configuration(_ command: [UInt8]) -> Plan {
        // What a CD can hold at most: 80 minutes.
        let profile: UInt16 = !isLoaded ? 0 : medium.blockCount > 80 * 60 * 75 ? 0x10 : 0x08
        let bytes = UInt32(4).bigEndianBytes + [0, 0] + profile.bigEndianBytes
        return .respond(Array(bytes.prefix(Int(UInt16(bigEndian: command, at: 7)))))
    }

    /// GET EVENT STATUS NOTIFICATION (MMC-6 section 6.6), polled: whether a medium is there.
    func eventStatus(_ command: [UInt8]) -> Plan {
        guard command.byte(1) & 1 != 0 else { return .fail(.invalidField) }
        let allocation = Int(UInt16(bigEndian: command, at: 7))
        let isMediaAsked = command.byte(4) & 0x10 != 0
        let bytes: [UInt8] =
            isMediaAsked ? [0, 6, 0x04, 0x10, 0, isLoaded ? 2 : 0, 0, 0] : [0, 2, 0x80, 0x10]
        return .respond(Array(bytes.prefix(allocation)))
    }
}

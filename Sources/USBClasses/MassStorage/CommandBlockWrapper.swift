/// What a host sends to begin a command (Bulk-Only Transport section 5.1).
public struct CommandBlockWrapper: Sendable, Equatable {
    static let size = 31
    static let signature: UInt32 = 0x4342_5355

    public var tag: UInt32
    /// Bytes that the host will send or take.
    public var transferLength: UInt32
    /// Direction of the data; means nothing when there is none.
    public var isIn: Bool
    public var lun: UInt8
    public var commandBlock: [UInt8]

    public init(tag: UInt32, transferLength: UInt32, isIn: Bool, lun: UInt8 = 0, commandBlock: [UInt8]) {
        self.tag = tag
        self.transferLength = transferLength
        self.isIn = isIn
        self.lun = lun
        self.commandBlock = commandBlock
    }

    /// nil when not valid and meaningful (sections 6.2.1 and 6.2.2): wrong size or signature, reserved bits, no command.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.size, UInt32(littleEndian: bytes, at: 0) == Self.signature, bytes[12] & 0x7F == 0,
            bytes[13] < 16, (1...16).contains(bytes[14])
        else { return nil }
        self.init(
            tag: UInt32(littleEndian: bytes, at: 4), transferLength: UInt32(littleEndian: bytes, at: 8),
            isIn: bytes[12] != 0, lun: bytes[13], commandBlock: Array(bytes[15..<15 + Int(bytes[14])]))
    }

    public var bytes: [UInt8] {
        Self.signature.littleEndianBytes + tag.littleEndianBytes + transferLength.littleEndianBytes
            + [isIn ? 0x80 : 0, lun, UInt8(truncatingIfNeeded: commandBlock.count)] + commandBlock.prefix(16)
            + [UInt8](repeating: 0, count: max(0, 16 - commandBlock.count))
    }
}

/// What a device answers to end a command (Bulk-Only Transport section 5.2).
public struct CommandStatusWrapper: Sendable, Equatable {
    static let size = 13
    static let signature: UInt32 = 0x5342_5355

    /// bCSWStatus.
    public enum Status: UInt8, Sendable {
        case passed = 0
        case failed = 1
        case phaseError = 2
    }

    public var tag: UInt32
    /// What the host announced less what was of use.
    public var residue: UInt32
    public var status: Status

    public init(tag: UInt32, residue: UInt32, status: Status) {
        self.tag = tag
        self.residue = residue
        self.status = status
    }

    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.size, UInt32(littleEndian: bytes, at: 0) == Self.signature,
            let status = Status(rawValue: bytes[12])
        else { return nil }
        self.init(
            tag: UInt32(littleEndian: bytes, at: 4), residue: UInt32(littleEndian: bytes, at: 8), status: status)
    }

    public var bytes: [UInt8] {
        Self.signature.littleEndianBytes + tag.littleEndianBytes + residue.littleEndianBytes + [status.rawValue]
    }
}

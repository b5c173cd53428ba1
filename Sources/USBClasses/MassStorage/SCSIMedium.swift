/// What a disk tells the host of itself.
public struct SCSIMedium: Sendable, Equatable {
    /// Peripheral device type (SPC-4 table 149).
    public enum DeviceType: UInt8, Sendable {
        case disk = 0x00
        case cdrom = 0x05

        /// Bytes.
        public var blockSize: Int { self == .cdrom ? 2048 : 512 }
    }

    public var type: DeviceType
    public var blockCount: UInt64
    public var isReadOnly: Bool
    public var isRemovable: Bool
    /// Writes may be lost with the host's power until they are flushed.
    public var hasWriteCache: Bool
    /// Of the image; ASCII is shown, the rest becomes `_`.
    public var serialNumber: String
    /// Eight bytes that name the unit (a locally assigned NAA identifier is made of them).
    public var identifier: UInt64

    public init(
        type: DeviceType, blockCount: UInt64, isReadOnly: Bool, isRemovable: Bool, hasWriteCache: Bool,
        serialNumber: String, identifier: UInt64
    ) {
        self.type = type
        self.blockCount = blockCount
        self.isReadOnly = isReadOnly
        self.isRemovable = isRemovable
        self.hasWriteCache = hasWriteCache
        self.serialNumber = serialNumber
        self.identifier = identifier
    }

    public var blockSize: Int { type.blockSize }
    var lastBlock: UInt64 { blockCount == 0 ? 0 : blockCount - 1 }
}

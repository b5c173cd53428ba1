/// Why a command failed (SPC-4 section 4.5): sense key, additional sense code and qualifier.
public struct SCSISense: Sendable, Equatable {
    public var key: UInt8
    public var code: UInt8
    public var qualifier: UInt8
    /// Logical block that it is about, where one is.
    public var block: UInt32?

    public init(_ key: UInt8, _ code: UInt8, _ qualifier: UInt8 = 0, block: UInt32? = nil) {
        self.key = key
        self.code = code
        self.qualifier = qualifier
        self.block = block
    }

    public static let none = SCSISense(0x00, 0x00)
    public static let mediumNotPresent = SCSISense(0x02, 0x3A)
    public static let unrecoveredReadError = SCSISense(0x03, 0x11)
    public static let writeError = SCSISense(0x03, 0x0C)
    public static let hardwareFailure = SCSISense(0x04, 0x44)
    public static let parameterListLength = SCSISense(0x05, 0x1A)
    public static let invalidOperationCode = SCSISense(0x05, 0x20)
    public static let blockOutOfRange = SCSISense(0x05, 0x21)
    public static let invalidField = SCSISense(0x05, 0x24)
    public static let invalidParameter = SCSISense(0x05, 0x26)
    public static let unitNotSupported = SCSISense(0x05, 0x25)
    public static let savingNotSupported = SCSISense(0x05, 0x39)
    public static let removalPrevented = SCSISense(0x05, 0x53, 0x02)
    public static let mediumChanged = SCSISense(0x06, 0x28)
    public static let writeProtected = SCSISense(0x07, 0x27)
    /// The host has no room left for what the guest wrote.
    public static let spaceAllocationFailed = SCSISense(0x07, 0x27, 0x07)
    public static let miscompare = SCSISense(0x0E, 0x1D)

    /// Fixed format, current error (SPC-4 section 4.5.3).
    public var bytes: [UInt8] {
        [block == nil ? 0x70 : 0xF0, 0, key] + (block ?? 0).bigEndianBytes + [10, 0, 0, 0, 0, code, qualifier]
            + [0, 0, 0, 0]
    }
}

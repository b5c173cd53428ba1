extension FixedWidthInteger where Self: UnsignedInteger {
    /// The caller has checked the bounds.
    init(littleEndian bytes: [UInt8], at offset: Int) {
        self = 0
        for index in (0..<Self.bitWidth / 8).reversed() { self = self << 8 | Self(bytes[offset + index]) }
    }

    /// Reads past the end as zeros: a command block may be shorter than its operation code says.
    init(bigEndian bytes: [UInt8], at offset: Int) {
        self = 0
        for index in offset..<offset + Self.bitWidth / 8 {
            self = self << 8 | Self(index < bytes.count ? bytes[index] : 0)
        }
    }

    var littleEndianBytes: [UInt8] { bigEndianBytes.reversed() }

    var bigEndianBytes: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> Self($0)) }
    }
}

/// One of the two formats of network transfer blocks, which differ in the width of sizes and offsets (NCM 1.0 section 3).
public enum NTBFormat: UInt16, Sendable, Equatable {
    case ntb16 = 0
    case ntb32 = 1

    /// "NCMH" or "ncmh", as a little-endian number.
    var headerSignature: Int { self == .ntb16 ? 0x484D_434E : 0x686D_636E }
    /// "NCM0" or "ncm0": Ethernet frames without checksum.
    var framesSignature: Int { self == .ntb16 ? 0x304D_434E : 0x306D_636E }
    /// "NCM1" or "ncm1": Ethernet frames with CRC-32.
    var checkedFramesSignature: Int { self == .ntb16 ? 0x314D_434E : 0x316D_636E }
    /// Bytes of a size or offset.
    var width: Int { self == .ntb16 ? 2 : 4 }
    /// wHeaderLength.
    var headerLength: Int { self == .ntb16 ? 12 : 16 }
    /// Bytes of a datagram pointer table before its first entry.
    var tablePrefix: Int { self == .ntb16 ? 8 : 16 }
    /// Where wNextNdpIndex stands in a table.
    var nextTablePlace: Int { self == .ntb16 ? 6 : 8 }
    /// wNdpIndex's place in the header.
    var firstTablePlace: Int { self == .ntb16 ? 10 : 12 }
    /// Bytes of an entry.
    var entryLength: Int { 2 * width }
    /// Alignment of a table's length.
    var tableAlignment: Int { self == .ntb16 ? 4 : 8 }

    /// wBlockLength of a block whose beginning is `bytes`: 0 when a short packet ends it; nil when it is no block of this
    /// format, or its header is not there yet.
    public func blockLength(_ bytes: [UInt8]) -> Int? {
        guard LittleEndianBytes.number(bytes, at: 0, width: 4) == headerSignature,
            LittleEndianBytes.number(bytes, at: 4, width: 2) == headerLength
        else { return nil }
        return LittleEndianBytes.number(bytes, at: 8, width: width)
    }
}

/// The suffix of a DFU file (DFU 1.1, appendix B): which device it is for, and a CRC over the file.
public struct DFUSuffix: Sendable, Equatable {
    public var deviceRelease: UInt16
    public var idProduct: UInt16
    public var idVendor: UInt16
    /// bcdDFU: 0x0100, or 0x011A for DfuSe.
    public var dfuRelease: UInt16
    /// bLength, at least 16.
    public var length: Int
    public var crc: UInt32

    static func isPresent(in bytes: [UInt8]) -> Bool {
        guard bytes.count > 16 else { return false }
        return Array(bytes[bytes.count - 8..<bytes.count - 5]) == Array("UFD".utf8) && bytes[bytes.count - 5] >= 16
    }

    init(parsing bytes: [UInt8], format: ImageFormat) throws(ImageError) {
        let end = bytes.count
        guard Self.isPresent(in: bytes), let device = bytes.little16(at: end - 16),
            let product = bytes.little16(at: end - 14), let vendor = bytes.little16(at: end - 12),
            let release = bytes.little16(at: end - 10), let stored = bytes.little32(at: end - 4)
        else { throw ImageError(format, at: max(0, end - 16), "no DFU suffix") }
        deviceRelease = device
        idProduct = product
        idVendor = vendor
        dfuRelease = release
        length = Int(bytes[end - 5])
        crc = stored
        guard length <= end else {
            throw ImageError(format, at: end - 5, "bLength \(length) of a file of \(end) bytes")
        }
        let computed = Self.checksum(bytes[..<(end - 4)])
        guard computed == stored else {
            throw ImageError(format, at: end - 4, "dwCRC is \(hex(stored)), but the file's is \(hex(computed))")
        }
    }

    /// CRC-32 of DFU: polynomial 0xEDB88320 reflected, starting with all ones, not inverted at the end.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
        return crc
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ crc >> 1 : crc >> 1 }
    }
}

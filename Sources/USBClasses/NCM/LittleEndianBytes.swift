/// Numbers in network transfer blocks, which are little-endian; reading checks bounds.
enum LittleEndianBytes {
    static func of(_ value: UInt32) -> [UInt8] {
        [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value >> 16 & 0xFF), UInt8(value >> 24)]
    }

    static func of(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }

    /// `width` bytes, 2 or 4, at `index`; nil when they are not all there.
    static func number(_ bytes: [UInt8], at index: Int, width: Int) -> Int? {
        guard index >= 0, width <= bytes.count, index <= bytes.count - width else { return nil }
        var value = 0
        for offset in (0..<width).reversed() { value = value << 8 | Int(bytes[index + offset]) }
        return value
    }
}

/// Bounds-checked little-endian reads from bytes of unknown origin.
enum LittleEndian {
    static func uint16(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt16? {
        read(bytes, at: offset, size: 2).map { UInt16(truncatingIfNeeded: $0) }
    }

    static func uint32(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt32? {
        read(bytes, at: offset, size: 4).map { UInt32(truncatingIfNeeded: $0) }
    }

    static func uint64(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt64? {
        read(bytes, at: offset, size: 8)
    }

    private static func read(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int, size: Int) -> UInt64? {
        guard offset >= 0, offset <= bytes.count, bytes.count - offset >= size else { return nil }
        let start = bytes.index(bytes.startIndex, offsetBy: offset)
        return bytes[start...].prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

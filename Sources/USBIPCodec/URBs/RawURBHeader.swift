import NIOCore

/// The twelve words of a URB header, in host order.
struct RawURBHeader {
    var command: UInt32
    var sequenceNumber: UInt32
    var deviceID: UInt32
    var direction: UInt32
    var endpoint: UInt32
    var words: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)
}

extension ByteBuffer {
    /// nil when fewer than 48 bytes are there.
    func getURBHeader(at index: Int) -> RawURBHeader? {
        guard index >= readerIndex, writerIndex - index >= URBHeader.length else { return nil }
        return withUnsafeReadableBytes { bytes in
            let base = index - readerIndex
            func word(_ number: Int) -> UInt32 {
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: base + 4 * number, as: UInt32.self))
            }
            return RawURBHeader(
                command: word(0), sequenceNumber: word(1), deviceID: word(2), direction: word(3), endpoint: word(4),
                words: (word(5), word(6), word(7), word(8), word(9), word(10), word(11)))
        }
    }
}

import NIOCore

/// The twelve words of a URB header, in host order.
@usableFromInline struct RawURBHeader {
    @usableFromInline var command: UInt32
    @usableFromInline var sequenceNumber: UInt32
    @usableFromInline var deviceID: UInt32
    @usableFromInline var direction: UInt32
    @usableFromInline var endpoint: UInt32
    @usableFromInline var words: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)
}

extension RawURBHeader {
    /// nil when fewer than 48 bytes are there.
    @inlinable @inline(__always) init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, bytes.count - offset >= URBHeader.length else { return nil }
        func word(_ number: Int) -> UInt32 {
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4 * number, as: UInt32.self))
        }
        command = word(0)
        sequenceNumber = word(1)
        deviceID = word(2)
        direction = word(3)
        endpoint = word(4)
        words = (word(5), word(6), word(7), word(8), word(9), word(10), word(11))
    }
}

extension ByteBuffer {
    /// nil when fewer than 48 bytes are there.
    func getURBHeader(at index: Int) -> RawURBHeader? {
        withUnsafeReadableBytes { RawURBHeader($0, at: index - readerIndex) }
    }
}

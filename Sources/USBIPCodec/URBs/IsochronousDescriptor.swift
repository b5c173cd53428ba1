import NIOCore

/// The 16 bytes of one isochronous packet, after the data.
public struct IsochronousDescriptor: Sendable, Equatable {
    @inlinable public static var length: Int { 16 }

    /// Where the packet is in the importer's buffer; a reply repeats the request's, though its data is packed.
    public var offset: UInt32
    public var length: UInt32
    public var actualLength: UInt32
    /// -EXDEV in requests.
    public var status: URBStatus

    public init(
        offset: UInt32, length: UInt32, actualLength: UInt32 = 0, status: URBStatus = .partialIsochronous
    ) {
        self.offset = offset
        self.length = length
        self.actualLength = actualLength
        self.status = status
    }

    public func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(offset, length, actualLength, status.rawValue)
    }

    init?(readingFrom buffer: inout ByteBuffer) {
        guard let words = buffer.readMultipleIntegers(as: (UInt32, UInt32, UInt32, Int32).self) else { return nil }
        self.init(offset: words.0, length: words.1, actualLength: words.2, status: URBStatus(rawValue: words.3))
    }

    /// As many as `bytes` holds whole.
    public static func read(in bytes: UnsafeRawBufferPointer) -> [IsochronousDescriptor] {
        (0..<bytes.count / length).map { index in
            func word(_ number: Int) -> UInt32 {
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: index * length + 4 * number, as: UInt32.self))
            }
            return IsochronousDescriptor(
                offset: word(0), length: word(1), actualLength: word(2),
                status: URBStatus(rawValue: Int32(bitPattern: word(3))))
        }
    }

    /// nil, with nothing taken, when fewer than `count` are there.
    static func read(_ count: Int, from buffer: inout ByteBuffer) -> [IsochronousDescriptor]? {
        guard count > 0 else { return [] }
        guard buffer.readableBytes >= count * length else { return nil }
        var all: [IsochronousDescriptor] = []
        all.reserveCapacity(count)
        for _ in 0..<count {
            guard let next = IsochronousDescriptor(readingFrom: &buffer) else { return nil }
            all.append(next)
        }
        return all
    }
}

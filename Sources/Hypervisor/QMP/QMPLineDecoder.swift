import NIOCore

/// Cuts the byte stream into lines, never holding more than `limit` bytes of one.
struct QMPLineDecoder: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// A line passed the limit.
    struct LineTooLong: Error {}

    private let limit: Int
    /// Bytes of the unfinished line already searched: a line that trickles in is searched once.
    private var searched = 0

    init(limit: Int) { self.limit = limit }

    mutating func decode(buffer: inout ByteBuffer) throws -> ByteBuffer? {
        let view = buffer.readableBytesView.dropFirst(searched)
        guard let newline = view.firstIndex(of: UInt8(ascii: "\n")) else {
            searched = buffer.readableBytes
            if searched > limit { throw LineTooLong() }
            return nil
        }
        let length = newline - buffer.readerIndex
        if length > limit { throw LineTooLong() }
        searched = 0
        let line = buffer.readSlice(length: length)
        buffer.moveReaderIndex(forwardBy: 1)
        return line
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> ByteBuffer? {
        try decode(buffer: &buffer)
    }
}

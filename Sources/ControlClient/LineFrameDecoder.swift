import NIOCore

/// Cuts the engine's bytes into lines without their newline; a line beyond the limit is an error before it is kept.
struct LineFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// A line grew beyond the limit.
    struct TooLong: Error {}

    let limit: Int
    /// Bytes at the front known to hold no newline, so that a long line is scanned once.
    private var scanned = 0

    init(limit: Int) { self.limit = limit }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let view = buffer.readableBytesView
        guard let newline = view.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = view.count
            guard scanned <= limit else { throw TooLong() }
            return .needMoreData
        }
        let length = newline - view.startIndex
        scanned = 0
        guard length <= limit, let line = buffer.readSlice(length: length) else { throw TooLong() }
        buffer.moveReaderIndex(forwardBy: 1)
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    /// A line that the end of the connection cuts short is nothing the engine has said.
    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        buffer.clear()
        return .needMoreData
    }
}

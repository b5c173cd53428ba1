import NIOCore

/// Cuts the control protocol's bytes into lines without their newline; a line beyond the limit is an error before it is kept.
public struct LineFrameDecoder: ByteToMessageDecoder {
    public typealias InboundOut = ByteBuffer

    /// A line grew beyond the limit.
    public struct TooLong: Error {}

    let limit: Int
    /// Bytes at the front known to hold no newline, so that a long line is scanned once.
    private var scanned = 0

    public init(limit: Int) { self.limit = limit }

    public mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
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

    /// A line that the end of the connection cuts short is nothing that was said.
    public mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        buffer.clear()
        return .needMoreData
    }
}

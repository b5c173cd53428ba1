import NIOCore

/// Cuts the command channel's bytes into replies; the guest is not trusted with sizes.
struct AgentReplyDecoder: ByteToMessageDecoder {
    typealias InboundOut = AgentReply

    private enum Limit {
        static let header = 256
        static let output = 64 << 20
    }

    private var pending: (id: Int, status: Int, size: Int)?

    /// The next message in `buffer`, or nil until more has come.
    mutating func decode(buffer: inout ByteBuffer) throws -> AgentReply? {
        if pending == nil {
            guard let end = buffer.readableBytesView.prefix(Limit.header).firstIndex(of: 0x0A) else {
                guard buffer.readableBytes < Limit.header else {
                    throw LabError.protocolViolation("the guest's agent sent a header of over \(Limit.header) bytes")
                }
                return nil
            }
            let line = buffer.readString(length: end - buffer.readerIndex) ?? ""
            buffer.moveReaderIndex(forwardBy: 1)
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "ready" { return .ready(kernelRelease: String(words[1])) }
            guard words.count == 4, words[0] == "exit", let id = Int(words[1]), let status = Int(words[2]),
                let size = Int(words[3]), (0...Limit.output).contains(size)
            else { throw LabError.protocolViolation("the guest's agent sent “\(line)”") }
            pending = (id, status, size)
        }
        guard let (id, status, size) = pending, let output = buffer.readBytes(length: size) else { return nil }
        pending = nil
        return .exit(id: id, CommandResult(exitCode: status, output: output))
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let message = try decode(buffer: &buffer) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(message))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}

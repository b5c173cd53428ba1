import NIOCore
import USBCore

/// Takes an exporter's replies out of a byte stream, for clients; it trusts the exporter no more than Linux does.
public struct URBReplyDecoder: Sendable {
    public init() {}

    /// The next whole reply, or nil when more bytes are needed. The buffer is of no use after an error.
    ///
    /// - Parameter awaited: the URB that was sent under a sequence number; nil when none awaits an answer.
    public func next(
        from buffer: inout ByteBuffer, awaited: (UInt32) -> AwaitedURB?
    ) throws(USBIPError) -> URBReply? {
        let start = buffer.readerIndex
        guard let head = buffer.getURBHeader(at: start) else { return nil }
        let number = head.sequenceNumber
        let status = URBStatus(rawValue: Int32(bitPattern: head.words.0))
        switch URBCommand(rawValue: head.command) {
        case .submitReply: break
        case .unlinkReply:
            buffer.moveReaderIndex(forwardBy: URBHeader.length)
            return .unlink(UnlinkReply(sequenceNumber: number, status: status))
        case .submit, .unlink, nil: throw .unknownCommand(head.command)
        }
        guard let urb = awaited(number) else { throw .unknownSequenceNumber(number) }
        let reply = SubmitReply(
            sequenceNumber: number, status: status, actualLength: Int32(bitPattern: head.words.1),
            startFrame: Int32(bitPattern: head.words.2), packetCount: Int32(bitPattern: head.words.3),
            errorCount: Int32(bitPattern: head.words.4))
        guard reply.actualLength >= 0, Int(reply.actualLength) <= urb.length else {
            throw .length(what: "actual_length", reply.actualLength, limit: urb.length)
        }
        if let count = urb.packetCount, Int(reply.packetCount) != count {
            throw .packetCount(reply.packetCount, limit: count)
        }
        let dataLength = urb.direction == .in ? Int(reply.actualLength) : 0
        let packetCount = urb.packetCount ?? 0
        guard buffer.readableBytes >= URBHeader.length + dataLength + packetCount * IsochronousDescriptor.length else {
            return nil
        }
        buffer.moveReaderIndex(forwardBy: URBHeader.length)
        guard let data = buffer.readSlice(length: dataLength),
            let packets = IsochronousDescriptor.read(packetCount, from: &buffer)
        else { return nil }
        return .submit(reply, data: data, packets: packets)
    }
}

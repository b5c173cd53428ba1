import NIOCore
import USBCore

/// Takes an importer's requests out of a byte stream, trusting nothing in it.
///
/// A header is judged as soon as it is there, so that a peer can make no one wait for, or hold, more than is allowed;
/// nothing is allocated before the bytes have arrived.
public struct URBRequestDecoder: Sendable {
    public let limits: USBIPLimits
    /// After `next` has returned nil: how many bytes the request at the front lacks, or its header.
    @inlinable public var missingBytes: Int { missing }
    @usableFromInline var missing = URBHeader.length

    public init(limits: USBIPLimits = USBIPLimits()) {
        self.limits = limits
    }

    /// The next whole request, or nil when more bytes are needed. The buffer is of no use after an error.
    ///
    /// - Parameter isIsochronous: whether descriptors follow, which the endpoint alone decides.
    public mutating func next(
        from buffer: inout ByteBuffer, isIsochronous: (EndpointAddress) -> Bool
    ) throws(USBIPError) -> URBRequest? {
        var offset = 0
        let result = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(USBIPError) in
                try next(in: bytes, at: &offset, isIsochronous: isIsochronous).map(URBRequest.init)
            }
        }
        buffer.moveReaderIndex(forwardBy: offset)
        return try result.get()
    }

    /// As `next(from:isIsochronous:)`, from `offset` on, which moves behind the request; nothing is allocated or copied.
    @inlinable public mutating func next(
        in bytes: UnsafeRawBufferPointer, at offset: inout Int, isIsochronous: (EndpointAddress) -> Bool
    ) throws(USBIPError) -> URBRequestView? {
        guard let head = RawURBHeader(bytes, at: offset) else {
            missing = URBHeader.length - (bytes.count - offset)
            return nil
        }
        switch head.command {
        case 1: break
        case 2:
            offset += URBHeader.length
            return .unlink(
                UnlinkCommand(sequenceNumber: head.sequenceNumber, deviceID: head.deviceID, target: head.words.0))
        default: throw .unknownCommand(head.command)
        }
        let command = try submit(head)
        let packetCount = isIsochronous(command.address) ? Int(command.packetCount) : 0
        guard (0...limits.maximumPackets).contains(packetCount) else {
            throw .packetCount(command.packetCount, limit: limits.maximumPackets)
        }
        let dataLength = command.direction == .out ? Int(command.length) : 0
        let total = URBHeader.length + dataLength + packetCount * IsochronousDescriptor.length
        guard bytes.count - offset >= total else {
            missing = total - (bytes.count - offset)
            return nil
        }
        let data = offset + URBHeader.length
        let descriptors = data + dataLength
        offset += total
        return .submit(
            command, data: UnsafeRawBufferPointer(rebasing: bytes[data..<descriptors]),
            descriptors: UnsafeRawBufferPointer(rebasing: bytes[descriptors..<offset]))
    }

    @inlinable @inline(__always) func submit(_ head: RawURBHeader) throws(USBIPError) -> SubmitCommand {
        guard head.direction <= 1 else { throw .direction(head.direction) }
        guard head.endpoint <= 15 else { throw .endpoint(head.endpoint) }
        let length = Int32(bitPattern: head.words.1)
        // IN allocates nothing here: how much of it is too much, the session answers URB by URB.
        guard length >= 0, head.direction == 1 || Int(length) <= limits.maximumTransferLength else {
            throw .length(what: "transfer_buffer_length", length, limit: limits.maximumTransferLength)
        }
        let low = head.words.5.byteSwapped
        let high = head.words.6.byteSwapped
        return SubmitCommand(
            sequenceNumber: head.sequenceNumber, deviceID: head.deviceID,
            direction: head.direction == 1 ? .in : .out, endpoint: UInt8(truncatingIfNeeded: head.endpoint),
            flags: URBFlags(rawValue: head.words.0), length: length, startFrame: Int32(bitPattern: head.words.2),
            packetCount: Int32(bitPattern: head.words.3), interval: Int32(bitPattern: head.words.4),
            setup: SetupPacket(
                requestType: RequestType(rawValue: UInt8(truncatingIfNeeded: low)),
                request: UInt8(truncatingIfNeeded: low >> 8), value: UInt16(truncatingIfNeeded: low >> 16),
                index: UInt16(truncatingIfNeeded: high), length: UInt16(truncatingIfNeeded: high >> 16)))
    }
}

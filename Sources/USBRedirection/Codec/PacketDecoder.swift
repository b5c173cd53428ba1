import NIOCore

/// Takes packets out of a byte stream, trusting nothing in it.
///
/// A packet's type and length are judged as soon as its first eight bytes are there, so that a peer can make no one
/// wait for, or hold, more than its type allows; nothing is allocated before the bytes have arrived.
public struct PacketDecoder: Sendable {
    /// Whose packets these are.
    public let sender: Side
    public let limits: PacketLimits
    /// In force from the next packet on; set it when hello has come.
    public var capabilities: Capabilities?

    public init(sender: Side, limits: PacketLimits = PacketLimits()) {
        self.sender = sender
        self.limits = limits
    }

    /// The next whole packet, or nil when more bytes are needed. The buffer is of no use after an error.
    public mutating func next(from buffer: inout ByteBuffer) throws(RedirectionError) -> Message? {
        let start = buffer.readerIndex
        guard let rawType = buffer.getInteger(at: start, endianness: .little, as: UInt32.self),
            let rawLength = buffer.getInteger(at: start + 4, endianness: .little, as: UInt32.self)
        else { return nil }
        guard let type = PacketType(rawValue: rawType) else { throw .unknownPacketType(rawType) }
        let length = Int(rawLength)
        try check(type, length)
        let wideIDs = capabilities?.contains(.ids64Bit) ?? false
        let headerLength = wideIDs ? 16 : 12
        guard buffer.readableBytes >= headerLength + length else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        let id: UInt64 = wideIDs ? try buffer.take(type) : UInt64(try buffer.take(type) as UInt32)
        let packet = try body(type, length, &buffer)
        let end = start + headerLength + length
        // Holds by construction of `body`; a slip there must not become a slip in the framing.
        guard buffer.readerIndex == end else {
            throw .badLength(type, length: length, allowed: allowed(type))
        }
        return Message(id, packet)
    }

    private func allowed(_ type: PacketType) -> ClosedRange<Int> {
        limits.bodyLength(of: type, capabilities: capabilities ?? [])
    }

    private func check(_ type: PacketType, _ length: Int) throws(RedirectionError) {
        if capabilities == nil, type != .hello { throw .helloExpected(found: type) }
        if let only = type.sender, only != sender { throw .wrongSender(type) }
        let needed = type.requiredCapability
        if !(capabilities ?? []).isSuperset(of: needed) { throw .capabilityNotInForce(type, needed: needed) }
        let allowed = allowed(type)
        guard allowed.contains(length) else { throw .badLength(type, length: length, allowed: allowed) }
        if type == .hello, length % 4 != 0 { throw .badLength(type, length: length, allowed: allowed) }
    }
}

extension ByteBuffer {
    /// The next little-endian number of a packet whose length has been checked.
    mutating func take<T: FixedWidthInteger>(_ type: PacketType, as: T.Type = T.self) throws(RedirectionError) -> T {
        guard let value = readInteger(endianness: .little, as: T.self) else { throw short(type, MemoryLayout<T>.size) }
        return value
    }

    mutating func takeBytes(_ type: PacketType, _ count: Int) throws(RedirectionError) -> [UInt8] {
        guard let bytes = readBytes(length: count) else { throw short(type, count) }
        return bytes
    }

    private func short(_ type: PacketType, _ needed: Int) -> RedirectionError {
        .badLength(type, length: readableBytes, allowed: needed...max(needed, Int(UInt32.max)))
    }
}

import NIOCore

extension PacketDecoder {
    func control(_ length: Int, _ buffer: inout ByteBuffer) throws(RedirectionError) -> ControlPacket {
        let type = PacketType.controlPacket
        var packet = ControlPacket(
            endpoint: try buffer.take(type), request: try buffer.take(type), requestType: try buffer.take(type),
            status: PacketStatus(rawValue: try buffer.take(type)), value: try buffer.take(type),
            index: try buffer.take(type), length: try buffer.take(type))
        packet.data = try data(type, packet.endpoint, Int(packet.length), attached: length - 10, &buffer)
        return packet
    }

    func bulk(_ length: Int, _ buffer: inout ByteBuffer) throws(RedirectionError) -> BulkPacket {
        let type = PacketType.bulkPacket
        let endpoint: UInt8 = try buffer.take(type)
        let status = PacketStatus(rawValue: try buffer.take(type))
        var size = UInt32(try buffer.take(type) as UInt16)
        let stream: UInt32 = try buffer.take(type)
        let inForce = capabilities ?? []
        if inForce.contains(.bulkLength32Bit) {
            size |= UInt32(try buffer.take(type) as UInt16) << 16
        }
        let attached = length - PacketLimits.bulkHeader(inForce)
        let data = try data(type, endpoint, Int(size), attached: attached, &buffer)
        return BulkPacket(endpoint: endpoint, status: status, length: size, stream: stream, data: data)
    }

    /// iso_packet or interrupt_packet.
    func dataPacket(
        _ type: PacketType, _ length: Int, _ buffer: inout ByteBuffer
    ) throws(RedirectionError) -> Packet {
        var packet = DataPacket(
            endpoint: try buffer.take(type), status: PacketStatus(rawValue: try buffer.take(type)),
            length: try buffer.take(type))
        packet.data = try data(type, packet.endpoint, Int(packet.length), attached: length - 4, &buffer)
        return type == .isochronousPacket ? .isochronousPacket(packet) : .interruptPacket(packet)
    }

    func bufferedBulk(_ length: Int, _ buffer: inout ByteBuffer) throws(RedirectionError) -> BufferedBulkPacket {
        let type = PacketType.bufferedBulkPacket
        let stream: UInt32 = try buffer.take(type)
        let size: UInt32 = try buffer.take(type)
        let endpoint: UInt8 = try buffer.take(type)
        let status = PacketStatus(rawValue: try buffer.take(type))
        guard Int(size) == length - 10 else {
            throw .dataLengthMismatch(type, endpoint: endpoint, claimed: Int(size), attached: length - 10)
        }
        return BufferedBulkPacket(
            stream: stream, length: size, endpoint: endpoint, status: status,
            data: try buffer.takeBytes(type, length - 10))
    }

    /// Data goes with OUT packets of the guest and IN packets of the host, and its length is said twice.
    private func data(
        _ type: PacketType, _ endpoint: UInt8, _ claimed: Int, attached: Int, _ buffer: inout ByteBuffer
    ) throws(RedirectionError) -> [UInt8] {
        let carriesData = (endpoint & 0x80 != 0) == (sender == .host)
        guard attached == (carriesData ? claimed : 0) else {
            throw .dataLengthMismatch(
                type, endpoint: endpoint, claimed: carriesData ? claimed : 0, attached: attached)
        }
        return attached == 0 ? [] : try buffer.takeBytes(type, attached)
    }
}

import NIOCore

/// Writes packets into a byte stream: header and payload together, so that one write sends both.
public struct PacketEncoder: Sendable {
    /// nil until hello has come: ids are then 32 bits wide.
    public var capabilities: Capabilities?

    public init() {}

    private static let helloVersionLength = 64

    public func write(_ message: Message, to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeMultipleIntegers(message.packet.type.rawValue, 0 as UInt32, endianness: .little)
        if capabilities?.contains(.ids64Bit) ?? false {
            buffer.writeInteger(message.id, endianness: .little)
        } else {
            buffer.writeInteger(UInt32(truncatingIfNeeded: message.id), endianness: .little)
        }
        let body = buffer.writerIndex
        writeBody(message.packet, to: &buffer)
        buffer.setInteger(
            UInt32(truncatingIfNeeded: buffer.writerIndex - body), at: start + 4, endianness: .little)
    }

    private func writeBody(_ packet: Packet, to buffer: inout ByteBuffer) {
        switch packet {
        case .deviceDisconnect, .reset, .getConfiguration, .cancelDataPacket, .filterReject, .deviceDisconnectAck:
            break
        case .hello(let hello): write(hello, to: &buffer)
        case .deviceConnect(let connect): write(connect, to: &buffer)
        case .interfaceInfo(let info): write(info, to: &buffer)
        case .endpointInfo(let info): write(info, to: &buffer)
        case .setConfiguration(let byte), .getAlternateSetting(let byte), .stopIsochronousStream(let byte),
            .startInterruptReceiving(let byte), .stopInterruptReceiving(let byte):
            buffer.writeInteger(byte)
        case .configurationStatus(let status, let byte), .isochronousStreamStatus(let status, let byte),
            .interruptReceivingStatus(let status, let byte):
            buffer.writeMultipleIntegers(status.rawValue, byte)
        case .setAlternateSetting(let interface, let alternate):
            buffer.writeMultipleIntegers(interface, alternate)
        case .alternateSettingStatus(let status, let interface, let alternate):
            buffer.writeMultipleIntegers(status.rawValue, interface, alternate)
        case .startIsochronousStream(let endpoint, let packets, let urbs):
            buffer.writeMultipleIntegers(endpoint, packets, urbs)
        case .allocateBulkStreams(let endpoints, let streams):
            buffer.writeMultipleIntegers(endpoints, streams, endianness: .little)
        case .freeBulkStreams(let endpoints):
            buffer.writeInteger(endpoints, endianness: .little)
        case .bulkStreamsStatus(let status, let endpoints, let streams):
            buffer.writeMultipleIntegers(endpoints, streams, status.rawValue, endianness: .little)
        case .filterFilter(let rules):
            buffer.writeString(rules)
            buffer.writeInteger(0 as UInt8)
        case .startBulkReceiving(let endpoint, let stream, let bytes, let transfers):
            buffer.writeMultipleIntegers(stream, bytes, endpoint, transfers, endianness: .little)
        case .stopBulkReceiving(let endpoint, let stream):
            buffer.writeMultipleIntegers(stream, endpoint, endianness: .little)
        case .bulkReceivingStatus(let status, let endpoint, let stream):
            buffer.writeMultipleIntegers(stream, endpoint, status.rawValue, endianness: .little)
        case .controlPacket(let packet):
            buffer.writeMultipleIntegers(
                packet.endpoint, packet.request, packet.requestType, packet.status.rawValue, packet.value, packet.index,
                packet.length, endianness: .little)
            buffer.writeBytes(packet.data)
        case .bulkPacket(let packet): write(packet, to: &buffer)
        case .isochronousPacket(let packet), .interruptPacket(let packet):
            buffer.writeMultipleIntegers(
                packet.endpoint, packet.status.rawValue, packet.length, endianness: .little)
            buffer.writeBytes(packet.data)
        case .bufferedBulkPacket(let packet):
            buffer.writeMultipleIntegers(
                packet.stream, packet.length, packet.endpoint, packet.status.rawValue, endianness: .little)
            buffer.writeBytes(packet.data)
        }
    }

    private func write(_ hello: Hello, to buffer: inout ByteBuffer) {
        let text = hello.version.utf8.prefix(Self.helloVersionLength - 1)
        buffer.writeBytes(text)
        buffer.writeRepeatingByte(0, count: Self.helloVersionLength - text.count)
        buffer.writeInteger(hello.capabilities.rawValue, endianness: .little)
    }

    private func write(_ connect: DeviceConnect, to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            connect.speed, connect.deviceClass, connect.deviceSubClass, connect.deviceProtocol, connect.idVendor,
            connect.idProduct, endianness: .little)
        if capabilities?.contains(.connectDeviceVersion) ?? false {
            buffer.writeInteger(connect.deviceRelease, endianness: .little)
        }
    }

    private func write(_ info: InterfaceInfo, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(info.interfaces.count), endianness: .little)
        let fields: [(InterfaceInfo.Entry) -> UInt8] = [
            \.number, \.interfaceClass, \.interfaceSubClass, \.interfaceProtocol,
        ]
        for field in fields {
            buffer.writeBytes(info.interfaces.lazy.map(field))
            buffer.writeRepeatingByte(0, count: InterfaceInfo.maximumInterfaces - info.interfaces.count)
        }
    }

    private func write(_ info: EndpointInfo, to buffer: inout ByteBuffer) {
        buffer.writeBytes(info.endpoints.lazy.map(\.type))
        buffer.writeBytes(info.endpoints.lazy.map(\.interval))
        buffer.writeBytes(info.endpoints.lazy.map(\.interface))
        let inForce = capabilities ?? []
        if inForce.contains(.endpointInfoMaxPacketSize) {
            for endpoint in info.endpoints { buffer.writeInteger(endpoint.maxPacketSize, endianness: .little) }
        }
        if inForce.contains(.bulkStreams) {
            for endpoint in info.endpoints { buffer.writeInteger(endpoint.maxStreams, endianness: .little) }
        }
    }

    private func write(_ packet: BulkPacket, to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            packet.endpoint, packet.status.rawValue, UInt16(truncatingIfNeeded: packet.length), packet.stream,
            endianness: .little)
        if capabilities?.contains(.bulkLength32Bit) ?? false {
            buffer.writeInteger(UInt16(truncatingIfNeeded: packet.length >> 16), endianness: .little)
        }
        buffer.writeBytes(packet.data)
    }
}

import NIOCore

extension PacketDecoder {
    /// The packet of `type` whose `length` bytes are at the reader index.
    func body(_ type: PacketType, _ length: Int, _ buffer: inout ByteBuffer) throws(RedirectionError) -> Packet {
        switch type {
        case .hello: .hello(try hello(length, &buffer))
        case .deviceConnect: .deviceConnect(try deviceConnect(&buffer))
        case .deviceDisconnect: .deviceDisconnect
        case .reset: .reset
        case .interfaceInfo: .interfaceInfo(try interfaceInfo(&buffer))
        case .endpointInfo: .endpointInfo(try endpointInfo(&buffer))
        case .setConfiguration: .setConfiguration(try buffer.take(type))
        case .getConfiguration: .getConfiguration
        case .configurationStatus:
            .configurationStatus(try status(type, &buffer), configuration: try buffer.take(type))
        case .setAlternateSetting:
            .setAlternateSetting(interface: try buffer.take(type), alternate: try buffer.take(type))
        case .getAlternateSetting: .getAlternateSetting(interface: try buffer.take(type))
        case .alternateSettingStatus:
            .alternateSettingStatus(
                try status(type, &buffer), interface: try buffer.take(type), alternate: try buffer.take(type))
        case .startIsochronousStream:
            .startIsochronousStream(
                endpoint: try buffer.take(type), packetsPerURB: try buffer.take(type), urbs: try buffer.take(type))
        case .stopIsochronousStream: .stopIsochronousStream(endpoint: try buffer.take(type))
        case .isochronousStreamStatus:
            .isochronousStreamStatus(try status(type, &buffer), endpoint: try buffer.take(type))
        case .startInterruptReceiving: .startInterruptReceiving(endpoint: try buffer.take(type))
        case .stopInterruptReceiving: .stopInterruptReceiving(endpoint: try buffer.take(type))
        case .interruptReceivingStatus:
            .interruptReceivingStatus(try status(type, &buffer), endpoint: try buffer.take(type))
        case .allocateBulkStreams:
            .allocateBulkStreams(endpoints: try buffer.take(type), streams: try buffer.take(type))
        case .freeBulkStreams: .freeBulkStreams(endpoints: try buffer.take(type))
        case .bulkStreamsStatus: try bulkStreamsStatus(&buffer)
        case .cancelDataPacket: .cancelDataPacket
        case .filterReject: .filterReject
        case .filterFilter: .filterFilter(try filter(length, &buffer))
        case .deviceDisconnectAck: .deviceDisconnectAck
        case .startBulkReceiving: try startBulkReceiving(&buffer)
        case .stopBulkReceiving: try stopBulkReceiving(&buffer)
        case .bulkReceivingStatus: try bulkReceivingStatus(&buffer)
        case .controlPacket: .controlPacket(try control(length, &buffer))
        case .bulkPacket: .bulkPacket(try bulk(length, &buffer))
        case .isochronousPacket, .interruptPacket: try dataPacket(type, length, &buffer)
        case .bufferedBulkPacket: .bufferedBulkPacket(try bufferedBulk(length, &buffer))
        }
    }

    private func status(_ type: PacketType, _ buffer: inout ByteBuffer) throws(RedirectionError) -> PacketStatus {
        PacketStatus(rawValue: try buffer.take(type))
    }

    private func hello(_ length: Int, _ buffer: inout ByteBuffer) throws(RedirectionError) -> Hello {
        let version = try buffer.takeBytes(.hello, 64).prefix { $0 != 0 }
        var words: [UInt32] = []
        for _ in 0..<(length - 64) / 4 { words.append(try buffer.take(.hello)) }
        // Words after the first are of later protocols.
        return Hello(version: printable(version), capabilities: Capabilities(rawValue: words.first ?? 0))
    }

    /// Text of a peer ends up on an operator's terminal.
    private func printable(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private func deviceConnect(_ buffer: inout ByteBuffer) throws(RedirectionError) -> DeviceConnect {
        let type = PacketType.deviceConnect
        let speed: UInt8 = try buffer.take(type)
        let deviceClass: UInt8 = try buffer.take(type)
        let deviceSubClass: UInt8 = try buffer.take(type)
        let deviceProtocol: UInt8 = try buffer.take(type)
        let idVendor: UInt16 = try buffer.take(type)
        let idProduct: UInt16 = try buffer.take(type)
        let versioned = capabilities?.contains(.connectDeviceVersion) ?? false
        return DeviceConnect(
            speed: speed, deviceClass: deviceClass, deviceSubClass: deviceSubClass, deviceProtocol: deviceProtocol,
            idVendor: idVendor, idProduct: idProduct, deviceRelease: versioned ? try buffer.take(type) : 0)
    }

    private func interfaceInfo(_ buffer: inout ByteBuffer) throws(RedirectionError) -> InterfaceInfo {
        let type = PacketType.interfaceInfo
        let count: UInt32 = try buffer.take(type)
        let maximum = InterfaceInfo.maximumInterfaces
        guard count <= maximum else {
            throw .dataLengthMismatch(type, endpoint: 0, claimed: Int(count), attached: maximum)
        }
        let numbers = try buffer.takeBytes(type, maximum)
        let classes = try buffer.takeBytes(type, maximum)
        let subclasses = try buffer.takeBytes(type, maximum)
        let protocols = try buffer.takeBytes(type, maximum)
        return InterfaceInfo(
            interfaces: (0..<Int(count)).map {
                InterfaceInfo.Entry(
                    number: numbers[$0], interfaceClass: classes[$0], interfaceSubClass: subclasses[$0],
                    interfaceProtocol: protocols[$0])
            })
    }

    private func endpointInfo(_ buffer: inout ByteBuffer) throws(RedirectionError) -> EndpointInfo {
        let type = PacketType.endpointInfo
        let count = EndpointInfo.count
        let types = try buffer.takeBytes(type, count)
        let intervals = try buffer.takeBytes(type, count)
        let interfaces = try buffer.takeBytes(type, count)
        var info = EndpointInfo()
        for index in 0..<count {
            info[index] = .init(type: types[index], interval: intervals[index], interface: interfaces[index])
        }
        let inForce = capabilities ?? []
        if inForce.contains(.endpointInfoMaxPacketSize) {
            for index in 0..<count { info[index].maxPacketSize = try buffer.take(type) }
        }
        if inForce.contains(.bulkStreams) {
            for index in 0..<count { info[index].maxStreams = try buffer.take(type) }
        }
        return info
    }

    private func bulkStreamsStatus(_ buffer: inout ByteBuffer) throws(RedirectionError) -> Packet {
        let endpoints: UInt32 = try buffer.take(.bulkStreamsStatus)
        let streams: UInt32 = try buffer.take(.bulkStreamsStatus)
        return .bulkStreamsStatus(try status(.bulkStreamsStatus, &buffer), endpoints: endpoints, streams: streams)
    }

    private func filter(_ length: Int, _ buffer: inout ByteBuffer) throws(RedirectionError) -> String {
        var bytes = try buffer.takeBytes(.filterFilter, length)
        guard bytes.popLast() == 0, !bytes.contains(0) else { throw .unterminatedFilter }
        return printable(bytes)
    }

    private func startBulkReceiving(_ buffer: inout ByteBuffer) throws(RedirectionError) -> Packet {
        let stream: UInt32 = try buffer.take(.startBulkReceiving)
        let bytes: UInt32 = try buffer.take(.startBulkReceiving)
        let endpoint: UInt8 = try buffer.take(.startBulkReceiving)
        return .startBulkReceiving(
            endpoint: endpoint, stream: stream, bytesPerTransfer: bytes,
            transfers: try buffer.take(.startBulkReceiving))
    }

    private func stopBulkReceiving(_ buffer: inout ByteBuffer) throws(RedirectionError) -> Packet {
        let stream: UInt32 = try buffer.take(.stopBulkReceiving)
        return .stopBulkReceiving(endpoint: try buffer.take(.stopBulkReceiving), stream: stream)
    }

    private func bulkReceivingStatus(_ buffer: inout ByteBuffer) throws(RedirectionError) -> Packet {
        let stream: UInt32 = try buffer.take(.bulkReceivingStatus)
        let endpoint: UInt8 = try buffer.take(.bulkReceivingStatus)
        return .bulkReceivingStatus(try status(.bulkReceivingStatus, &buffer), endpoint: endpoint, stream: stream)
    }
}

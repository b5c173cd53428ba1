import USBRedirection

/// One or more of every packet type, as the side that may send it would send it.
enum PacketSamples {
    static let fromGuest: [Packet] = [
        .reset, .setConfiguration(1), .getConfiguration, .setAlternateSetting(interface: 2, alternate: 3),
        .getAlternateSetting(interface: 2), .startIsochronousStream(endpoint: 0x83, packetsPerURB: 8, urbs: 4),
        .stopIsochronousStream(endpoint: 0x83), .startInterruptReceiving(endpoint: 0x82),
        .stopInterruptReceiving(endpoint: 0x82), .allocateBulkStreams(endpoints: 0x0002_0002, streams: 16),
        .freeBulkStreams(endpoints: 0x0002_0002), .cancelDataPacket, .filterReject,
        .filterFilter("0x03,-1,-1,-1,0|-1,-1,-1,-1,1"), .deviceDisconnectAck,
        .startBulkReceiving(endpoint: 0x81, stream: 0, bytesPerTransfer: 512, transfers: 5),
        .stopBulkReceiving(endpoint: 0x81, stream: 7),
        .controlPacket(
            ControlPacket(endpoint: 0x80, request: 6, requestType: 0x80, value: 0x0100, index: 0, length: 18)),
        .controlPacket(
            ControlPacket(
                endpoint: 0, request: 9, requestType: 0x21, value: 0x0200, index: 1, length: 2, data: [1, 2])),
        .bulkPacket(BulkPacket(endpoint: 0x81, length: 512)),
        .bulkPacket(BulkPacket(endpoint: 0x01, length: 3, stream: 9, data: [9, 8, 7])),
        .isochronousPacket(DataPacket(endpoint: 0x03, length: 2, data: [4, 5])),
        .interruptPacket(DataPacket(endpoint: 0x02, length: 1, data: [0xFF])),
    ]

    static func fromHost(_ capabilities: Capabilities) -> [Packet] {
        [
            .deviceConnect(connect(capabilities)), .deviceDisconnect,
            .interfaceInfo(
                InterfaceInfo(
                    interfaces: (0..<5).map {
                        .init(number: $0, interfaceClass: 3, interfaceSubClass: 1, interfaceProtocol: 2 &+ $0)
                    })),
            .endpointInfo(endpoints(capabilities)), .configurationStatus(.success, configuration: 1),
            .alternateSettingStatus(.stall, interface: 1, alternate: 2),
            .isochronousStreamStatus(.stall, endpoint: 0x83), .interruptReceivingStatus(.success, endpoint: 0x82),
            .bulkStreamsStatus(.ioError, endpoints: 0x0002_0000, streams: 3),
            .bulkReceivingStatus(.success, endpoint: 0x81, stream: 4), .filterFilter("-1,-1,-1,-1,1"),
            .controlPacket(
                ControlPacket(
                    endpoint: 0x80, request: 6, requestType: 0x80, value: 0x0100, index: 0, length: 4,
                    data: [18, 1, 0, 2])),
            .controlPacket(
                ControlPacket(
                    endpoint: 0, request: 9, requestType: 0x21, status: .stall, value: 0, index: 0, length: 0)),
            .bulkPacket(BulkPacket(endpoint: 0x81, length: 5, data: [1, 2, 3, 4, 5])),
            .bulkPacket(BulkPacket(endpoint: 0x01, status: .cancelled, length: 0)),
            .isochronousPacket(DataPacket(endpoint: 0x83, length: 3, data: [1, 2, 3])),
            .interruptPacket(DataPacket(endpoint: 0x82, length: 8, data: Array(0..<8))),
            .bufferedBulkPacket(BufferedBulkPacket(length: 2, endpoint: 0x81, data: [6, 7])),
        ]
    }

    private static func connect(_ capabilities: Capabilities) -> DeviceConnect {
        DeviceConnect(
            speed: 2, deviceClass: 0xEF, deviceSubClass: 2, deviceProtocol: 1, idVendor: 0x1209, idProduct: 0x0001,
            deviceRelease: capabilities.contains(.connectDeviceVersion) ? 0x0123 : 0)
    }

    private static func endpoints(_ capabilities: Capabilities) -> EndpointInfo {
        var info = EndpointInfo()
        info[0] = .init(type: 0)
        info[17] = .init(type: 2, interval: 0, interface: 1)
        info[18] = .init(type: 3, interval: 64, interface: 2)
        if capabilities.contains(.endpointInfoMaxPacketSize) {
            info[0].maxPacketSize = 64
            info[17].maxPacketSize = 512
            info[18].maxPacketSize = 3072
        }
        if capabilities.contains(.bulkStreams) { info[17].maxStreams = 16 }
        return info
    }
}

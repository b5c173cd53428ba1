/// One usbredir packet with its id.
public struct Message: Sendable, Equatable {
    public var id: UInt64
    public var packet: Packet

    public init(_ id: UInt64, _ packet: Packet) {
        self.id = id
        self.packet = packet
    }
}

/// Every packet of usbredir 0.7 with its payload.
public enum Packet: Sendable, Equatable {
    case hello(Hello)
    case deviceConnect(DeviceConnect)
    case deviceDisconnect
    case reset
    case interfaceInfo(InterfaceInfo)
    case endpointInfo(EndpointInfo)
    case setConfiguration(UInt8)
    case getConfiguration
    case configurationStatus(PacketStatus, configuration: UInt8)
    case setAlternateSetting(interface: UInt8, alternate: UInt8)
    case getAlternateSetting(interface: UInt8)
    case alternateSettingStatus(PacketStatus, interface: UInt8, alternate: UInt8)
    case startIsochronousStream(endpoint: UInt8, packetsPerURB: UInt8, urbs: UInt8)
    case stopIsochronousStream(endpoint: UInt8)
    case isochronousStreamStatus(PacketStatus, endpoint: UInt8)
    case startInterruptReceiving(endpoint: UInt8)
    case stopInterruptReceiving(endpoint: UInt8)
    case interruptReceivingStatus(PacketStatus, endpoint: UInt8)
    /// `endpoints`: bit mask by endpoint index.
    case allocateBulkStreams(endpoints: UInt32, streams: UInt32)
    case freeBulkStreams(endpoints: UInt32)
    case bulkStreamsStatus(PacketStatus, endpoints: UInt32, streams: UInt32)
    case cancelDataPacket
    case filterReject
    /// Rules `class,vendor,product,version,allow` joined by `|`, without the final NUL.
    case filterFilter(String)
    case deviceDisconnectAck
    case startBulkReceiving(endpoint: UInt8, stream: UInt32, bytesPerTransfer: UInt32, transfers: UInt8)
    case stopBulkReceiving(endpoint: UInt8, stream: UInt32)
    case bulkReceivingStatus(PacketStatus, endpoint: UInt8, stream: UInt32)
    case controlPacket(ControlPacket)
    case bulkPacket(BulkPacket)
    case isochronousPacket(DataPacket)
    case interruptPacket(DataPacket)
    case bufferedBulkPacket(BufferedBulkPacket)

    public var type: PacketType {
        switch self {
        case .hello: .hello
        case .deviceConnect: .deviceConnect
        case .deviceDisconnect: .deviceDisconnect
        case .reset: .reset
        case .interfaceInfo: .interfaceInfo
        case .endpointInfo: .endpointInfo
        case .setConfiguration: .setConfiguration
        case .getConfiguration: .getConfiguration
        case .configurationStatus: .configurationStatus
        case .setAlternateSetting: .setAlternateSetting
        case .getAlternateSetting: .getAlternateSetting
        case .alternateSettingStatus: .alternateSettingStatus
        case .startIsochronousStream: .startIsochronousStream
        case .stopIsochronousStream: .stopIsochronousStream
        case .isochronousStreamStatus: .isochronousStreamStatus
        case .startInterruptReceiving: .startInterruptReceiving
        case .stopInterruptReceiving: .stopInterruptReceiving
        case .interruptReceivingStatus: .interruptReceivingStatus
        case .allocateBulkStreams: .allocateBulkStreams
        case .freeBulkStreams: .freeBulkStreams
        case .bulkStreamsStatus: .bulkStreamsStatus
        case .cancelDataPacket: .cancelDataPacket
        case .filterReject: .filterReject
        case .filterFilter: .filterFilter
        case .deviceDisconnectAck: .deviceDisconnectAck
        case .startBulkReceiving: .startBulkReceiving
        case .stopBulkReceiving: .stopBulkReceiving
        case .bulkReceivingStatus: .bulkReceivingStatus
        case .controlPacket: .controlPacket
        case .bulkPacket: .bulkPacket
        case .isochronousPacket: .isochronousPacket
        case .interruptPacket: .interruptPacket
        case .bufferedBulkPacket: .bufferedBulkPacket
        }
    }
}

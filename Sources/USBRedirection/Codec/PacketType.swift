/// Packet types of the usbredir protocol 0.7, by their number on the wire.
public enum PacketType: UInt32, Sendable, Equatable, Hashable, CaseIterable {
    case hello = 0
    case deviceConnect
    case deviceDisconnect
    case reset
    case interfaceInfo
    case endpointInfo
    case setConfiguration
    case getConfiguration
    case configurationStatus
    case setAlternateSetting
    case getAlternateSetting
    case alternateSettingStatus
    case startIsochronousStream
    case stopIsochronousStream
    case isochronousStreamStatus
    case startInterruptReceiving
    case stopInterruptReceiving
    case interruptReceivingStatus
    case allocateBulkStreams
    case freeBulkStreams
    case bulkStreamsStatus
    case cancelDataPacket
    case filterReject
    case filterFilter
    case deviceDisconnectAck
    case startBulkReceiving
    case stopBulkReceiving
    case bulkReceivingStatus
    case controlPacket = 100
    case bulkPacket
    case isochronousPacket
    case interruptPacket
    case bufferedBulkPacket

    /// The protocol text's name, for messages.
    public var name: String {
        switch self {
        case .hello: "hello"
        case .deviceConnect: "device_connect"
        case .deviceDisconnect: "device_disconnect"
        case .reset: "reset"
        case .interfaceInfo: "interface_info"
        case .endpointInfo: "ep_info"
        case .setConfiguration: "set_configuration"
        case .getConfiguration: "get_configuration"
        case .configurationStatus: "configuration_status"
        case .setAlternateSetting: "set_alt_setting"
        case .getAlternateSetting: "get_alt_setting"
        case .alternateSettingStatus: "alt_setting_status"
        case .startIsochronousStream: "start_iso_stream"
        case .stopIsochronousStream: "stop_iso_stream"
        case .isochronousStreamStatus: "iso_stream_status"
        case .startInterruptReceiving: "start_interrupt_receiving"
        case .stopInterruptReceiving: "stop_interrupt_receiving"
        case .interruptReceivingStatus: "interrupt_receiving_status"
        case .allocateBulkStreams: "alloc_bulk_streams"
        case .freeBulkStreams: "free_bulk_streams"
        case .bulkStreamsStatus: "bulk_streams_status"
        case .cancelDataPacket: "cancel_data_packet"
        case .filterReject: "filter_reject"
        case .filterFilter: "filter_filter"
        case .deviceDisconnectAck: "device_disconnect_ack"
        case .startBulkReceiving: "start_bulk_receiving"
        case .stopBulkReceiving: "stop_bulk_receiving"
        case .bulkReceivingStatus: "bulk_receiving_status"
        case .controlPacket: "control_packet"
        case .bulkPacket: "bulk_packet"
        case .isochronousPacket: "iso_packet"
        case .interruptPacket: "interrupt_packet"
        case .bufferedBulkPacket: "buffered_bulk_packet"
        }
    }

    /// Who may send it; nil: both sides.
    public var sender: Side? {
        switch self {
        case .hello, .filterFilter, .controlPacket, .bulkPacket, .isochronousPacket, .interruptPacket: nil
        case .deviceConnect, .deviceDisconnect, .interfaceInfo, .endpointInfo, .configurationStatus,
            .alternateSettingStatus, .isochronousStreamStatus, .interruptReceivingStatus, .bulkStreamsStatus,
            .bulkReceivingStatus, .bufferedBulkPacket:
            .host
        case .reset, .setConfiguration, .getConfiguration, .setAlternateSetting, .getAlternateSetting,
            .startIsochronousStream, .stopIsochronousStream, .startInterruptReceiving, .stopInterruptReceiving,
            .allocateBulkStreams, .freeBulkStreams, .cancelDataPacket, .filterReject, .deviceDisconnectAck,
            .startBulkReceiving, .stopBulkReceiving:
            .guest
        }
    }

    /// What both sides must have offered before it may be sent.
    public var requiredCapability: Capabilities {
        switch self {
        case .allocateBulkStreams, .freeBulkStreams, .bulkStreamsStatus: .bulkStreams
        case .filterReject, .filterFilter: .filter
        case .deviceDisconnectAck: .deviceDisconnectAck
        case .startBulkReceiving, .stopBulkReceiving, .bulkReceivingStatus, .bufferedBulkPacket: .bulkReceiving
        default: []
        }
    }
}

/// The two ends of a link: the host has the device, the guest (QEMU) uses it.
public enum Side: Sendable, Equatable {
    case host
    case guest

    public var other: Side { self == .host ? .guest : .host }
}

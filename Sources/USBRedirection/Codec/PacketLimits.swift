/// Bounds on what a peer may send, in bytes.
public struct PacketLimits: Sendable, Equatable {
    /// Data of one bulk packet.
    public var maximumTransferLength: Int
    /// Rules of one filter_filter, the NUL included.
    public var maximumFilterLength: Int
    /// Capability words of a hello; the protocol has one today.
    public var maximumCapabilityWords: Int

    public init(
        maximumTransferLength: Int = 16 << 20, maximumFilterLength: Int = 64 << 10, maximumCapabilityWords: Int = 16
    ) {
        self.maximumTransferLength = maximumTransferLength
        self.maximumFilterLength = maximumFilterLength
        self.maximumCapabilityWords = maximumCapabilityWords
    }

    /// What `length` in a packet header may be for `type`: its fixed part, plus data where the type has any.
    public func bodyLength(of type: PacketType, capabilities: Capabilities) -> ClosedRange<Int> {
        switch type {
        case .hello: 64...64 + 4 * maximumCapabilityWords
        case .deviceConnect:
            capabilities.contains(.connectDeviceVersion) ? 10...10 : 8...8
        case .deviceDisconnect, .reset, .getConfiguration, .cancelDataPacket, .filterReject, .deviceDisconnectAck:
            0...0
        case .interfaceInfo: 132...132
        case .endpointInfo: Self.endpointInfoLength(capabilities)...Self.endpointInfoLength(capabilities)
        case .setConfiguration, .getAlternateSetting, .stopIsochronousStream, .startInterruptReceiving,
            .stopInterruptReceiving:
            1...1
        case .configurationStatus, .setAlternateSetting, .isochronousStreamStatus, .interruptReceivingStatus: 2...2
        case .alternateSettingStatus, .startIsochronousStream: 3...3
        case .freeBulkStreams: 4...4
        case .stopBulkReceiving: 5...5
        case .bulkReceivingStatus: 6...6
        case .allocateBulkStreams: 8...8
        case .bulkStreamsStatus: 9...9
        case .startBulkReceiving: 10...10
        case .filterFilter: 1...max(1, maximumFilterLength)
        case .controlPacket: 10...10 + 0xFFFF
        case .bulkPacket: Self.bulkHeader(capabilities)...Self.bulkHeader(capabilities) + maximumTransferLength
        case .isochronousPacket, .interruptPacket: 4...4 + 0xFFFF
        case .bufferedBulkPacket: 10...10 + maximumTransferLength
        }
    }

    static func bulkHeader(_ capabilities: Capabilities) -> Int {
        capabilities.contains(.bulkLength32Bit) ? 10 : 8
    }

    static func endpointInfoLength(_ capabilities: Capabilities) -> Int {
        if capabilities.contains(.bulkStreams) { return 32 * 9 }
        return capabilities.contains(.endpointInfoMaxPacketSize) ? 32 * 5 : 32 * 3
    }
}

/// Capability bits that a hello offers; what both sides offer is in force.
public struct Capabilities: OptionSet, Sendable, Equatable, Hashable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let bulkStreams = Capabilities(rawValue: 1 << 0)
    /// device_connect carries bcdDevice.
    public static let connectDeviceVersion = Capabilities(rawValue: 1 << 1)
    public static let filter = Capabilities(rawValue: 1 << 2)
    public static let deviceDisconnectAck = Capabilities(rawValue: 1 << 3)
    /// ep_info carries packet sizes.
    public static let endpointInfoMaxPacketSize = Capabilities(rawValue: 1 << 4)
    public static let ids64Bit = Capabilities(rawValue: 1 << 5)
    public static let bulkLength32Bit = Capabilities(rawValue: 1 << 6)
    public static let bulkReceiving = Capabilities(rawValue: 1 << 7)

    /// What we offer as host. Not bulk receiving: QEMU would buffer bulk input of serial adapters it knows.
    /// Not bulk streams: only for a device that has them.
    public static let offeredByHost: Capabilities = [
        .connectDeviceVersion, .filter, .deviceDisconnectAck, .endpointInfoMaxPacketSize, .ids64Bit, .bulkLength32Bit,
    ]

    /// What QEMU 7.2 offers as guest; libusbredirparser adds the acknowledgement, and sends it, by itself.
    public static let offeredByQEMU: Capabilities = [
        .connectDeviceVersion, .filter, .deviceDisconnectAck, .endpointInfoMaxPacketSize, .ids64Bit, .bulkLength32Bit,
        .bulkReceiving,
    ]

    /// What is in force between two offers; bulk streams need packet sizes in ep_info.
    public func negotiated(with peer: Capabilities) -> Capabilities {
        var both = intersection(peer)
        if !both.contains(.endpointInfoMaxPacketSize) { both.remove(.bulkStreams) }
        return both
    }

    private static let names = [
        "bulk_streams", "connect_device_version", "filter", "device_disconnect_ack", "ep_info_max_packet_size",
        "64bits_ids", "32bits_bulk_length", "bulk_receiving",
    ]

    public var description: String {
        (0..<32).filter { rawValue & 1 << $0 != 0 }
            .map { $0 < Self.names.count ? Self.names[$0] : "bit \($0)" }
            .joined(separator: " ")
    }
}

/// Numbers, descriptors and messages of the network control model (NCM 1.0, with CDC 1.2 and ECM 1.2).
public enum NCM {
    /// bInterfaceSubClass of the communications interface.
    public static let subClass: UInt8 = 0x0D
    /// bInterfaceProtocol of the data interface: network transfer blocks.
    public static let dataProtocol: UInt8 = 0x01
    /// dwNtbInMaxSize and dwNtbOutMaxSize, bytes.
    public static let maximumBlockSize = 32768
    /// The least dwNtbInMaxSize that a host may set (NCM 1.0 table 6-4).
    public static let minimumBlockSize = 2048
    /// wMaxSegmentSize: an Ethernet frame without checksum, bytes.
    public static let maximumFrameSize = 1514
    public static let minimumFrameSize = 14
    /// Where in the class descriptors the index of the MAC address string stands: descriptor and byte.
    public static let addressStringPlace = (descriptor: 2, byte: 3)

    /// bRequest of class requests (NCM 1.0 table 6-2, ECM 1.2 table 6).
    public enum Request: UInt8, Sendable {
        case setEthernetPacketFilter = 0x43
        case getNTBParameters = 0x80
        case getNTBFormat = 0x83
        case setNTBFormat = 0x84
        case getNTBInputSize = 0x85
        case setNTBInputSize = 0x86
        case getMaxDatagramSize = 0x87
        case setMaxDatagramSize = 0x88
        case getCRCMode = 0x89
        case setCRCMode = 0x8A
    }

    /// Class descriptors of the communications interface: header, union, Ethernet, NCM (NCM 1.0 section 5.2); the data
    /// interface follows it. iMACAddress is for the composer to fill in.
    public static func descriptors(firstInterface: UInt8) -> [[UInt8]] {
        let segment = UInt16(maximumFrameSize)
        return [
            [5, 0x24, 0x00, 0x20, 0x01],
            [5, 0x24, 0x06, firstInterface, firstInterface &+ 1],
            [13, 0x24, 0x0F, 0, 0, 0, 0, 0, UInt8(segment & 0xFF), UInt8(segment >> 8), 0, 0, 0],
            // Packet filter, maximum datagram size, CRC mode, input size of eight bytes.
            [6, 0x24, 0x1A, 0x00, 0x01, 0x39],
        ]
    }

    /// The answer to GET_NTB_PARAMETERS (NCM 1.0 table 6-3): both formats, everything aligned to four bytes.
    public static var parameters: [UInt8] {
        let size = LittleEndianBytes.of(UInt32(maximumBlockSize))
        return [28, 0, 3, 0] + size + [4, 0, 0, 0, 4, 0, 0, 0] + size + [4, 0, 0, 0, 4, 0, 0, 0]
    }

    /// NETWORK_CONNECTION, eight bytes (CDC 1.2 section 6.3.1).
    public static func networkConnection(_ isConnected: Bool, interface: UInt8) -> [UInt8] {
        [0xA1, CDC.Notification.networkConnection.rawValue, isConnected ? 1 : 0, 0, interface, 0, 0, 0]
    }

    /// CONNECTION_SPEED_CHANGE, sixteen bytes (CDC 1.2 section 6.3.3); bits per second, the same both ways.
    public static func connectionSpeedChange(_ bitsPerSecond: UInt32, interface: UInt8) -> [UInt8] {
        let rate = LittleEndianBytes.of(bitsPerSecond)
        return [0xA1, 0x2A, 0, 0, interface, 0, 8, 0] + rate + rate
    }
}

/// bmEthernetPacketFilter: what a host wants to receive (ECM 1.2 table 8).
public struct EthernetPacketFilter: OptionSet, Sendable, Equatable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let promiscuous = EthernetPacketFilter(rawValue: 1)
    public static let allMulticast = EthernetPacketFilter(rawValue: 2)
    public static let directed = EthernetPacketFilter(rawValue: 4)
    public static let broadcast = EthernetPacketFilter(rawValue: 8)
    public static let multicast = EthernetPacketFilter(rawValue: 16)

    /// Whether a frame passes. Unicast frames all count as directed: a guest may have another address than the one it
    /// was told, and filters itself.
    public func admits(_ frame: [UInt8]) -> Bool {
        if contains(.promiscuous) { return true }
        guard frame.count >= 6, frame[0] & 1 == 1 else { return contains(.directed) }
        if frame[..<6].allSatisfy({ $0 == 0xFF }) { return contains(.broadcast) }
        return !isDisjoint(with: [.allMulticast, .multicast])
    }
}

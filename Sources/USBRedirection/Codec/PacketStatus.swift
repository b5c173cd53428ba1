import USBCore

/// The status byte of replies; any value may come in from a peer.
public struct PacketStatus: RawRepresentable, Sendable, Equatable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let success = PacketStatus(rawValue: 0)
    public static let cancelled = PacketStatus(rawValue: 1)
    /// Invalid packet type, length or endpoint.
    public static let invalid = PacketStatus(rawValue: 2)
    public static let ioError = PacketStatus(rawValue: 3)
    public static let stall = PacketStatus(rawValue: 4)
    public static let timeout = PacketStatus(rawValue: 5)
    public static let babble = PacketStatus(rawValue: 6)

    public init(_ status: TransferStatus) {
        switch status {
        case .success, .shortPacket: self = .success
        case .stall: self = .stall
        // A device that leaves reports `cancelled` for all that is pending, then device_disconnect.
        case .cancelled, .noDevice: self = .cancelled
        case .babble: self = .babble
        case .timeout: self = .timeout
        case .error: self = .ioError
        }
    }
}

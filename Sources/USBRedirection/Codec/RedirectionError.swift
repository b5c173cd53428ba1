import USBDevice

/// Why a link cannot go on; the link is closed after it.
public enum RedirectionError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownPacketType(UInt32)
    /// The first packet of a link is not hello.
    case helloExpected(found: PacketType)
    /// A packet that only the other side may send.
    case wrongSender(PacketType)
    case capabilityNotInForce(PacketType, needed: Capabilities)
    /// `length` of the packet header is outside what its type allows.
    case badLength(PacketType, length: Int, allowed: ClosedRange<Int>)
    /// The packet's own length field disagrees with the bytes attached.
    case dataLengthMismatch(PacketType, endpoint: UInt8, claimed: Int, attached: Int)
    case unterminatedFilter
    /// The device cannot be had for this link.
    case device(DevicePortError)
    /// The socket failed.
    case link(String)

    public var description: String {
        switch self {
        case .unknownPacketType(let type): "usbredir: unknown packet type \(type)"
        case .helloExpected(let found): "usbredir: \(found.name) before hello"
        case .wrongSender(let type): "usbredir: \(type.name) is not for this side to receive"
        case .capabilityNotInForce(let type, let needed): "usbredir: \(type.name) without capability \(needed)"
        case .badLength(let type, let length, let allowed):
            "usbredir: \(type.name) of \(length) bytes; allowed are \(allowed.lowerBound) to \(allowed.upperBound)"
        case .dataLengthMismatch(let type, let endpoint, let claimed, let attached):
            "usbredir: \(type.name) on endpoint \(String(endpoint, radix: 16)) claims \(claimed) data bytes"
                + " where \(attached) are due"
        case .unterminatedFilter: "usbredir: filter_filter is not NUL-terminated"
        case .device(let error): error.description
        case .link(let reason): "usbredir link: \(reason)"
        }
    }
}

/// The eight bytes that start a control transfer (USB 2.0 section 9.3).
public struct SetupPacket: Sendable, Equatable, Hashable {
    public var requestType: RequestType
    public var request: UInt8
    public var value: UInt16
    public var index: UInt16
    public var length: UInt16

    @inlinable public init(
        requestType: RequestType, request: UInt8, value: UInt16 = 0, index: UInt16 = 0, length: UInt16 = 0
    ) {
        self.requestType = requestType
        self.request = request
        self.value = value
        self.index = index
        self.length = length
    }

    /// nil unless exactly eight bytes are given; fields are little endian.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 8 else { return nil }
        let raw = Array(bytes)
        self.init(
            requestType: RequestType(rawValue: raw[0]), request: raw[1],
            value: UInt16(raw[2]) | UInt16(raw[3]) << 8, index: UInt16(raw[4]) | UInt16(raw[5]) << 8,
            length: UInt16(raw[6]) | UInt16(raw[7]) << 8)
    }

    /// The eight bytes as they go over the wire.
    public var bytes: [UInt8] {
        [
            requestType.rawValue, request, UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8),
            UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8),
        ]
    }

    @inlinable public var direction: Direction { requestType.direction }

    /// The standard request, when this is one.
    public var standard: StandardRequest? {
        requestType.kind == .standard ? StandardRequest(rawValue: request) : nil
    }
}

/// bmRequestType (USB 2.0 table 9-2).
public struct RequestType: Sendable, Equatable, Hashable {
    public enum Kind: UInt8, Sendable { case standard = 0, `class`, vendor, reserved }
    public enum Recipient: UInt8, Sendable { case device = 0, interface, endpoint, other, reserved }

    public let rawValue: UInt8

    @inlinable public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public init(_ direction: Direction, _ kind: Kind, _ recipient: Recipient) {
        rawValue = direction.rawValue | kind.rawValue << 5 | recipient.rawValue
    }

    @inlinable public var direction: Direction { rawValue & 0x80 == 0 ? .out : .in }
    public var kind: Kind { Kind(rawValue: rawValue >> 5 & 3) ?? .reserved }
    public var recipient: Recipient { Recipient(rawValue: rawValue & 0x1F) ?? .reserved }
}

/// bRequest of standard requests (USB 2.0 table 9-4, USB 3.2 table 9-5).
public enum StandardRequest: UInt8, Sendable, Equatable {
    case getStatus = 0
    case clearFeature = 1
    case setFeature = 3
    case setAddress = 5
    case getDescriptor = 6
    case setDescriptor = 7
    case getConfiguration = 8
    case setConfiguration = 9
    case getInterface = 10
    case setInterface = 11
    case synchFrame = 12
    case setSEL = 48
    case setIsochronousDelay = 49
}

/// wValue of SET_FEATURE and CLEAR_FEATURE (USB 2.0 table 9-6, USB 3.2 table 9-9).
public enum FeatureSelector {
    /// Recipient endpoint.
    public static let endpointHalt: UInt16 = 0
    /// Recipient interface at super speed.
    public static let functionSuspend: UInt16 = 0
    public static let deviceRemoteWakeup: UInt16 = 1
    public static let testMode: UInt16 = 2
    public static let u1Enable: UInt16 = 48
    public static let u2Enable: UInt16 = 49
    public static let ltmEnable: UInt16 = 50
}

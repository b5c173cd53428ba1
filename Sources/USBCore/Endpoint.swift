/// Direction of a data stage or an endpoint, as the host sees it (USB 2.0 section 4.4).
public enum Direction: UInt8, Sendable, Equatable, Hashable {
    case out = 0x00
    case `in` = 0x80
}

/// bEndpointAddress: number 0...15 and direction (USB 2.0 table 9-13).
public struct EndpointAddress: Sendable, Equatable, Hashable, Comparable, CustomStringConvertible {
    /// Bits 4...6 are always zero.
    public let rawValue: UInt8

    /// Reserved bits 4...6 are ignored.
    @inlinable public init(rawValue: UInt8) {
        self.rawValue = rawValue & 0x8F
    }

    /// Only the low four bits of `number` count.
    @inlinable public init(_ number: UInt8, _ direction: Direction) {
        rawValue = (number & 0x0F) | direction.rawValue
    }

    @inlinable @inline(__always) public var number: UInt8 { rawValue & 0x0F }
    @inlinable @inline(__always) public var direction: Direction { rawValue & 0x80 == 0 ? .out : .in }

    /// 0...31: OUT endpoints, then IN endpoints.
    @inlinable @inline(__always) public var index: Int { Int(rawValue & 0x0F) | Int(rawValue & 0x80) >> 3 }

    @inlinable public static var controlOut: EndpointAddress { EndpointAddress(0, .out) }
    @inlinable public static var controlIn: EndpointAddress { EndpointAddress(0, .in) }

    public static func < (left: EndpointAddress, right: EndpointAddress) -> Bool { left.index < right.index }

    /// Two hexadecimal digits, `81`.
    public var description: String {
        let digits = String(rawValue, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}

/// Transfer type of an endpoint (USB 2.0 table 9-13, bmAttributes bits 0...1).
public enum TransferType: UInt8, Sendable, Equatable, Hashable {
    case control = 0
    case isochronous = 1
    case bulk = 2
    case interrupt = 3

    /// Lower-case word for listings.
    public var name: String {
        switch self {
        case .control: "control"
        case .isochronous: "isochronous"
        case .bulk: "bulk"
        case .interrupt: "interrupt"
        }
    }
}

/// Bus speed of a device.
public enum Speed: UInt8, Sendable, Equatable, Hashable, Comparable, CaseIterable {
    case low
    case full
    case high
    case `super`

    /// The word that configuration and listings use.
    public var name: String {
        switch self {
        case .low: "low"
        case .full: "full"
        case .high: "high"
        case .super: "super"
        }
    }

    public init?(name: String) {
        guard let speed = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = speed
    }

    public static func < (left: Speed, right: Speed) -> Bool { left.rawValue < right.rawValue }

    /// Maximum packet size of endpoint 0, in bytes (USB 2.0 section 5.5.3, USB 3.2 section 8.12.2).
    public var controlPacketSize: Int {
        switch self {
        case .low: 8
        case .full, .high: 64
        case .super: 512
        }
    }

    /// Largest wMaxPacketSize of a bulk endpoint, in bytes; nil where bulk does not exist (USB 2.0 section 5.8.3).
    public var bulkPacketSize: Int? {
        switch self {
        case .low: nil
        case .full: 64
        case .high: 512
        case .super: 1024
        }
    }
}

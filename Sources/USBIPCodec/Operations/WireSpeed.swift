import USBCore

/// Speed as USB/IP says it: Linux's `enum usb_device_speed`.
public struct WireSpeed: RawRepresentable, Sendable, Equatable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let low = WireSpeed(rawValue: 1)
    public static let full = WireSpeed(rawValue: 2)
    public static let high = WireSpeed(rawValue: 3)
    public static let `super` = WireSpeed(rawValue: 5)
    /// vhci refuses it, after the exporter has given the device away.
    public static let superPlus = WireSpeed(rawValue: 6)

    public init(_ speed: Speed) {
        switch speed {
        case .low: self = .low
        case .full: self = .full
        case .high: self = .high
        case .super: self = .super
        }
    }

    /// nil for unknown and wireless.
    public var speed: Speed? {
        switch self {
        case .low: .low
        case .full: .full
        case .high: .high
        case .super, .superPlus: .super
        default: nil
        }
    }
}

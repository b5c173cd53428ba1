/// A USB signalling speed a port takes or a device offers (USB 2.0 5.3.1.1.1, USB 3.2).
public enum PortSpeed: Int, Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    case low, full, high, `super`

    public static func < (left: PortSpeed, right: PortSpeed) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        switch self {
        case .low: "low"
        case .full: "full"
        case .high: "high"
        case .super: "super"
        }
    }
}

/// A key pressed and let go while modifiers are down.
public struct Keystroke: Sendable, Equatable, Hashable {
    /// HID usage of page 7 (Keyboard).
    public var usage: UInt8
    public var modifiers: KeyModifiers

    public init(_ usage: UInt8, _ modifiers: KeyModifiers = []) {
        self.usage = usage
        self.modifiers = modifiers
    }

    public static let capsLock = Keystroke(0x39)

    /// The boot keyboard's report while it is down.
    public var report: [UInt8] { [modifiers.rawValue, 0, usage, 0, 0, 0, 0, 0] }
    /// Nothing is down.
    public static let released = [UInt8](repeating: 0, count: 8)
}

/// The modifier byte of a boot keyboard's report.
public struct KeyModifiers: OptionSet, Sendable, Equatable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let control = KeyModifiers(rawValue: 0x01)
    public static let shift = KeyModifiers(rawValue: 0x02)
    public static let alt = KeyModifiers(rawValue: 0x04)
    public static let gui = KeyModifiers(rawValue: 0x08)
    public static let rightControl = KeyModifiers(rawValue: 0x10)
    public static let rightShift = KeyModifiers(rawValue: 0x20)
    /// The right Alt key.
    public static let altGr = KeyModifiers(rawValue: 0x40)
    public static let rightGUI = KeyModifiers(rawValue: 0x80)
}

/// Keys pressed together, as an operator names them: `ctrl+alt+delete`, `f2`, `volume-up`.
public struct KeyChord: Sendable, Equatable {
    /// What is not a key.
    public struct Unknown: Error, Equatable, CustomStringConvertible {
        public let found: String
        public var description: String {
            "'\(found)' is not a key; known: ctrl, shift, alt, altgr, gui, a-z, 0-9, f1-f12, "
                + (KeyChord.named.keys.sorted() + KeyChord.consumer.keys.sorted()).joined(separator: ", ")
        }
    }

    public var modifiers: KeyModifiers = []
    /// HID usages of page 7, at most six.
    public var usages: [UInt8] = []
    /// A usage of page 12 (Consumer).
    public var consumerUsage: UInt16?

    /// - Throws: `Unknown`, also for more than six keys and for two consumer controls.
    public init(parsing text: String) throws(Unknown) {
        guard text.utf8.count <= 100 else { throw Unknown(found: String(text.prefix(40)) + "…") }
        for part in text.lowercased().split(separator: "+", omittingEmptySubsequences: false) {
            let name = String(part)
            if let modifier = Self.modifierNames[name] {
                modifiers.insert(modifier)
            } else if let usage = Self.usage(name), usages.count < 6 {
                usages.append(usage)
            } else if let usage = Self.consumer[name], consumerUsage == nil {
                consumerUsage = usage
            } else {
                throw Unknown(found: name)
            }
        }
    }

    /// The keyboard's report while they are down; nil when only a consumer control is pressed.
    public var report: [UInt8]? {
        if usages.isEmpty, modifiers.isEmpty { return nil }
        return [modifiers.rawValue, 0] + usages + [UInt8](repeating: 0, count: 6 - usages.count)
    }

    private static func usage(_ name: String) -> UInt8? {
        if let usage = named[name] { return usage }
        guard let first = name.utf8.first else { return nil }
        if name.utf8.count == 1 {
            switch first {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): return first - UInt8(ascii: "a") + 0x04
            case UInt8(ascii: "1")...UInt8(ascii: "9"): return first - UInt8(ascii: "1") + 0x1E
            case UInt8(ascii: "0"): return 0x27
            default: return nil
            }
        }
        guard first == UInt8(ascii: "f"), let number = UInt8(name.dropFirst()), (1...12).contains(number) else {
            return nil
        }
        return 0x39 + number
    }

    private static let modifierNames: [String: KeyModifiers] = [
        "ctrl": .control, "shift": .shift, "alt": .alt, "gui": .gui, "super": .gui, "altgr": .altGr,
    ]

    static let named: [String: UInt8] = [
        "enter": 0x28, "esc": 0x29, "backspace": 0x2A, "tab": 0x2B, "space": 0x2C, "caps-lock": 0x39,
        "print-screen": 0x46, "scroll-lock": 0x47, "pause": 0x48, "insert": 0x49, "home": 0x4A, "page-up": 0x4B,
        "delete": 0x4C, "end": 0x4D, "page-down": 0x4E, "right": 0x4F, "left": 0x50, "down": 0x51, "up": 0x52,
        "num-lock": 0x53, "menu": 0x65,
    ]

    static let consumer: [String: UInt16] = [
        "mute": 0xE2, "volume-up": 0xE9, "volume-down": 0xEA, "play": 0xCD, "next-track": 0xB5,
        "previous-track": 0xB6, "stop": 0xB7, "brightness-up": 0x6F, "brightness-down": 0x70, "eject": 0xB8,
    ]
}

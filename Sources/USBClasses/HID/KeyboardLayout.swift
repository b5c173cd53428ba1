/// Which key gives which character, as the guest's system believes the keyboard to be.
public enum KeyboardLayout: String, Sendable, CaseIterable {
    case us
    case de
    case fr

    /// Keys of the four rows from left to right, as HID usages; the first of the last row is the ISO keyboard's extra one.
    private static let rows: [[UInt8]] = [
        [0x35, 0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2D, 0x2E],
        [0x14, 0x1A, 0x08, 0x15, 0x17, 0x1C, 0x18, 0x0C, 0x12, 0x13, 0x2F, 0x30],
        [0x04, 0x16, 0x07, 0x09, 0x0A, 0x0B, 0x0D, 0x0E, 0x0F, 0x33, 0x34, 0x32],
        [0x64, 0x1D, 0x1B, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38],
    ]

    /// What the keys of the rows give; a space stands for nothing. Dead keys stand in `deadKeys`.
    private var levels: [(modifiers: KeyModifiers, rows: [String])] {
        switch self {
        case .us:
            [
                ([], ["`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", " zxcvbnm,./"]),
                (.shift, ["~!@#$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:\"|", " ZXCVBNM<>?"]),
            ]
        case .de:
            [
                ([], [" 1234567890ß ", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"]),
                (.shift, ["°!\"§$%&/()=? ", "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"]),
                (.altGr, ["  ²³   {[]}\\ ", "@ €        ~", "            ", "|      µ   "]),
            ]
        case .fr:
            [
                ([], ["²&é\"'(-è_çà)=", "azertyuiop $", "qsdfghjklmù*", "<wxcvbn,;:!"]),
                (.shift, [" 1234567890°+", "AZERTYUIOP £", "QSDFGHJKLM%µ", ">WXCVBN?./§"]),
                (.altGr, ["  ~#{[|`\\^@]}", "  €        ¤", "            ", "           "]),
            ]
        }
    }

    /// Keys that wait for a letter: the accent alone comes with the space bar.
    private var deadKeys: [(key: Keystroke, accent: Character, plain: String, accented: String)] {
        switch self {
        case .us: []
        case .de:
            [
                (Keystroke(0x35), "^", "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
                (Keystroke(0x2E), "´", "aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ"),
                (Keystroke(0x2E, .shift), "`", "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
            ]
        case .fr:
            [
                (Keystroke(0x2F), "^", "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
                (Keystroke(0x2F, .shift), "¨", "aeiouyAEIOU", "äëïöüÿÄËÏÖÜ"),
            ]
        }
    }

    /// What to type for each character that the layout has.
    public var keystrokes: [Character: [Keystroke]] {
        var result: [Character: [Keystroke]] = [
            " ": [Keystroke(0x2C)], "\n": [Keystroke(0x28)], "\r\n": [Keystroke(0x28)], "\r": [Keystroke(0x28)],
            "\t": [Keystroke(0x2B)], "\u{8}": [Keystroke(0x2A)], "\u{1B}": [Keystroke(0x29)],
        ]
        for (modifiers, rows) in levels {
            for (keys, characters) in zip(Self.rows, rows) {
                for (key, character) in zip(keys, characters) where character != " " && result[character] == nil {
                    // An ANSI keyboard has the backslash key elsewhere in the HID table.
                    result[character] = [Keystroke(self == .us && key == 0x32 ? 0x31 : key, modifiers)]
                }
            }
        }
        for (key, accent, plain, accented) in deadKeys {
            if result[accent] == nil { result[accent] = [key, Keystroke(0x2C)] }
            for (letter, character) in zip(plain, accented) where result[character] == nil {
                result[character] = result[letter].map { [key] + $0 }
            }
        }
        return result
    }
}

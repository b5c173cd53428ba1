/// A typist: text to what a keyboard of a layout does.
public struct Keystrokes: Sendable, Equatable {
    /// Characters that the layout has no keys for, each once, in the order of the text.
    public struct Untypable: Error, Equatable, CustomStringConvertible {
        public let characters: [Character]
        public let layout: KeyboardLayout

        public var description: String {
            let shown = characters.prefix(8).map { character in
                let codes = character.unicodeScalars.prefix(4).map { "U+" + Self.code($0.value) }
                let isShown = character.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
                return (isShown ? "'\(character)' " : "") + "(\(codes.joined(separator: " ")))"
            }
            let more = characters.count > shown.count ? " and \(characters.count - shown.count) more" : ""
            return "layout \(layout.rawValue) cannot type \(shown.joined(separator: ", "))\(more)"
        }

        private static func code(_ value: UInt32) -> String {
            let digits = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }

    public let strokes: [Keystroke]

    /// Nothing is typed of a text of which not everything can be.
    public init(typing text: String, layout: KeyboardLayout) throws(Untypable) {
        let table = layout.keystrokes
        var strokes: [Keystroke] = []
        var missing: [Character] = []
        for character in text {
            if let found = table[character] {
                strokes += found
            } else if missing.count < 1000, !missing.contains(character) {
                missing.append(character)
            }
        }
        guard missing.isEmpty else { throw Untypable(characters: missing, layout: layout) }
        self.strokes = strokes
    }

    /// Reports of the keyboard: each key goes down and up.
    public var reports: [[UInt8]] { strokes.flatMap { [$0.report, Keystroke.released] } }
}

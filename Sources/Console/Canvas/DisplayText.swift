/// Text made safe for a terminal and cut into columns: names come from guests, so nothing in them may reach the terminal
/// as a control sequence or move the columns after it.
public enum DisplayText {
    /// One drawn glyph: a base scalar with at most four combining marks, one or two columns wide.
    public struct Glyph: Sendable, Equatable {
        public var character: Character
        public var width: Int
    }

    /// Marks beyond this many over one base are dropped: more do not fit a terminal's cell.
    static let maximumMarks = 4
    /// Stands for what must not be sent to a terminal: controls, bidirectional overrides, invisible characters.
    static let replacement: Character = "\u{FFFD}"

    /// The glyphs of `text`, in order; never contains a control, a format character or an emoji joiner.
    public static func glyphs(_ text: some StringProtocol) -> [Glyph] {
        var glyphs: [Glyph] = []
        glyphs.reserveCapacity(text.utf8.count)
        var marks = 0
        for scalar in text.unicodeScalars {
            switch columns(of: scalar) {
            case .dropped: continue
            case .replaced:
                glyphs.append(Glyph(character: replacement, width: 1))
                marks = maximumMarks
            case .combining:
                guard let last = glyphs.indices.last, marks < maximumMarks else { continue }
                var string = String(glyphs[last].character)
                string.unicodeScalars.append(scalar)
                // A mark that does not join its base would make two characters of one cell.
                guard string.count == 1 else { continue }
                glyphs[last].character = Character(string)
                marks += 1
            case .narrow:
                glyphs.append(Glyph(character: Character(scalar), width: 1))
                marks = 0
            case .wide:
                glyphs.append(Glyph(character: Character(scalar), width: 2))
                marks = 0
            }
        }
        return glyphs
    }

    /// Columns that `text` takes when drawn.
    public static func width(_ text: some StringProtocol) -> Int {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
        return glyphs(text).reduce(0) { $0 + $1.width }
    }

    private enum Columns {
        case dropped
        case replaced
        case combining
        case narrow
        case wide
    }

    private static func columns(of scalar: Unicode.Scalar) -> Columns {
        let value = scalar.value
        if value < 0x7F { return value < 0x20 ? .replaced : .narrow }
        // Emoji joiners and variation selectors only choose between pictures; each picture is drawn by itself.
        if value == 0x200D || 0xFE00...0xFE0F ~= value || 0xE0100...0xE01EF ~= value { return .dropped }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            return .replaced
        default: break
        }
        if value < 0x300 { return .narrow }
        if contains(WidthTable.combining, value) { return .combining }
        return contains(WidthTable.wide, value) ? .wide : .narrow
    }

    private static func contains(_ table: [ClosedRange<UInt32>], _ value: UInt32) -> Bool {
        var low = 0
        var high = table.count
        while low < high {
            let middle = (low + high) / 2
            if table[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < table.count && table[low].contains(value)
    }
}

/// One line of text in several styles.
struct StyledText: Sendable, Equatable {
    struct Span: Sendable, Equatable {
        var text: String
        var role: StyleRole
        var attributes: CellAttributes
    }

    var spans: [Span] = []

    init() {}

    init(_ text: String, _ role: StyleRole = .text, _ attributes: CellAttributes = []) {
        add(text, role, attributes)
    }

    /// Columns it takes.
    var width: Int { spans.reduce(0) { $0 + DisplayText.width($1.text) } }
    var isEmpty: Bool { spans.allSatisfy { $0.text.isEmpty } }
    var plain: String { spans.map(\.text).joined() }

    mutating func add(_ text: String, _ role: StyleRole = .text, _ attributes: CellAttributes = []) {
        if !text.isEmpty { spans.append(Span(text: text, role: role, attributes: attributes)) }
    }

    mutating func add(_ other: StyledText) {
        spans += other.spans
    }

    /// Appends `text` cut or padded to exactly `width` columns.
    mutating func column(
        _ text: String, _ width: Int, _ alignment: Alignment = .left, _ role: StyleRole = .text,
        _ attributes: CellAttributes = []
    ) {
        add(Fit.text(text, width, alignment), role, attributes)
    }

    /// Blanks up to `column`, so that what follows starts there.
    mutating func pad(to column: Int) {
        let missing = column - width
        if missing > 0 { add(String(repeating: " ", count: missing)) }
    }

    static func + (left: StyledText, right: StyledText) -> StyledText {
        var sum = left
        sum.add(right)
        return sum
    }
}

/// Where a column's text is kept.
enum Alignment: Sendable {
    case left
    case right
}

/// Cuts and pads text to columns of the screen.
enum Fit {
    /// `text` in exactly `width` columns; a cut is marked with an ellipsis.
    static func text(_ text: String, _ width: Int, _ alignment: Alignment = .left) -> String {
        guard width > 0 else { return "" }
        let cut = cut(text, width)
        let blanks = String(repeating: " ", count: max(0, width - DisplayText.width(cut)))
        return alignment == .left ? cut + blanks : blanks + cut
    }

    /// `text` in at most `width` columns.
    static func cut(_ text: String, _ width: Int) -> String {
        guard width > 0 else { return "" }
        guard DisplayText.width(text) > width else { return text }
        var result = ""
        var used = 0
        for glyph in DisplayText.glyphs(text) {
            guard used + glyph.width <= width - 1 else { break }
            result.append(glyph.character)
            used += glyph.width
        }
        return result + "…"
    }

    /// `text` in at most `width` columns, cut at blanks into at most `lines` lines, the last with an ellipsis.
    static func wrap(_ text: String, _ width: Int, lines: Int) -> [String] {
        guard width > 0, lines > 0 else { return [] }
        var result: [String] = []
        var rest = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)[...]
        while !rest.isEmpty, result.count < lines - 1 {
            var line = rest.removeFirst()
            while let next = rest.first, DisplayText.width(line) + 1 + DisplayText.width(next) <= width {
                line += " " + next
                rest.removeFirst()
            }
            result.append(cut(line, width))
        }
        if !rest.isEmpty { result.append(cut(rest.joined(separator: " "), width)) }
        return result
    }
}

extension Canvas {
    /// How a row of a list stands out.
    enum Mark: Sendable, Equatable {
        case none
        /// Selected, in the pane that has the keys.
        case selected
        /// Selected, in another pane.
        case remembered
    }

    /// Draws one line in `width` columns: cut with an ellipsis when too long, filled with blanks when marked.
    mutating func draw(_ text: StyledText, _ column: Int, _ row: Int, width: Int, mark: Mark = .none) {
        guard width > 0 else { return }
        let overflows = text.width > width
        let limit = overflows ? width - 1 : width
        var used = 0
        drawing: for span in text.spans {
            let role = mark == .selected ? .select : span.role
            let attributes = mark == .remembered ? span.attributes.union(.bold) : span.attributes
            for glyph in DisplayText.glyphs(span.text) {
                guard used + glyph.width <= limit else { break drawing }
                put(glyph, column + used, row, role, attributes)
                used += glyph.width
            }
        }
        let role: StyleRole = mark == .selected ? .select : .text
        if overflows {
            put(DisplayText.Glyph(character: "…", width: 1), column + used, row, mark == .selected ? role : .dim, [])
            used += 1
        }
        while mark == .selected, used < width {
            put(DisplayText.Glyph(character: " ", width: 1), column + used, row, role, [])
            used += 1
        }
    }

    /// Blanks a part of the screen, for an overlay.
    mutating func clear(_ rect: Rect) {
        for row in rect.row..<(rect.row + rect.height) {
            for column in rect.column..<(rect.column + rect.width) {
                put(DisplayText.Glyph(character: " ", width: 1), column, row, .text, [])
            }
        }
    }

    /// Draws a box with a title at the left and a remark at the right of its upper edge.
    mutating func box(_ rect: Rect, title: StyledText, remark: StyledText = StyledText(), focused: Bool, double: Bool) {
        guard rect.width >= 2, rect.height >= 2 else { return }
        let lines = Array(focused && double ? "╔═╗║╚╝" : "┌─┐│└┘")
        let role: StyleRole = focused ? .focus : .frame
        func glyph(_ index: Int) -> DisplayText.Glyph { DisplayText.Glyph(character: lines[index], width: 1) }
        let right = rect.column + rect.width - 1
        let bottom = rect.row + rect.height - 1
        for column in (rect.column + 1)..<max(right, rect.column + 1) {
            put(glyph(1), column, rect.row, role, [])
            put(glyph(1), column, bottom, role, [])
        }
        for row in (rect.row + 1)..<max(bottom, rect.row + 1) {
            put(glyph(3), rect.column, row, role, [])
            put(glyph(3), right, row, role, [])
        }
        put(glyph(0), rect.column, rect.row, role, [])
        put(glyph(2), right, rect.row, role, [])
        put(glyph(4), rect.column, bottom, role, [])
        put(glyph(5), right, bottom, role, [])
        drawEdge(rect, rect.row, title: title, remark: remark)
    }

    /// A rule across a box, from edge to edge, with a title.
    mutating func rule(
        _ rect: Rect, row: Int, title: StyledText, remark: StyledText = StyledText(), focused: Bool, double: Bool
    ) {
        guard rect.width >= 2 else { return }
        let lines = Array(focused && double ? "╠═╣" : "├─┤")
        let role: StyleRole = focused ? .focus : .frame
        for offset in 0..<rect.width {
            let index = offset == 0 ? 0 : offset == rect.width - 1 ? 2 : 1
            put(DisplayText.Glyph(character: lines[index], width: 1), rect.column + offset, row, role, [])
        }
        drawEdge(rect, row, title: title, remark: remark)
    }

    private mutating func drawEdge(_ rect: Rect, _ row: Int, title: StyledText, remark: StyledText) {
        let space = rect.width - 4
        guard space > 2 else { return }
        let titleWidth = min(title.width + 2, space)
        if !title.isEmpty {
            draw(StyledText(" ") + title + StyledText(" "), rect.column + 2, row, width: titleWidth)
        }
        let remarkWidth = remark.width + 2
        if !remark.isEmpty, titleWidth + remarkWidth + 1 <= space {
            draw(
                StyledText(" ") + remark + StyledText(" "), rect.column + rect.width - 2 - remarkWidth, row,
                width: remarkWidth)
        }
    }

    /// Gives every cell of a part of the screen the same role: what is greyed is not true now.
    mutating func grey(_ rect: Rect) {
        for row in rect.row..<(rect.row + rect.height) {
            for column in rect.column..<(rect.column + rect.width) {
                self[column, row].role = .off
                self[column, row].attributes = []
            }
        }
    }

    /// The same picture in ASCII: our own signs by their stand-ins, anything else as `?`.
    func ascii() -> Canvas {
        var copy = self
        for row in 0..<rows {
            for column in 0..<columns where !self[column, row].character.isASCII {
                copy[column, row].character = AsciiTable.standIn(self[column, row].character)
            }
            for column in 0..<columns where self[column, row].width != 1 {
                copy[column, row].character = "?"
                copy[column, row].width = 1
            }
        }
        return copy
    }
}

/// What our own signs become where only ASCII can be drawn.
enum AsciiTable {
    static func standIn(_ character: Character) -> Character {
        table[character] ?? "?"
    }

    private static let table: [Character: Character] = [
        "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+",
        "═": "=", "║": "|", "╔": "#", "╗": "#", "╚": "#", "╝": "#", "╠": "#", "╣": "#",
        "●": "*", "○": "o", "◐": "~", "◔": "%", "◌": ".", "‖": "=", "✗": "x", "⏏": "^", "·": ".",
        "▸": "+", "▾": "-", "↓": "v", "↑": "^", "→": ">", "←": "<", "›": ">", "…": "~", "—": "-", "–": "-",
        "▁": ".", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#",
        "Δ": "d", "µ": "u", "×": "x", "’": "'", "“": "\"", "”": "\"",
    ]
}

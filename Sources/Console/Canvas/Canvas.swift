/// A finished picture of the screen: a pure value that a terminal backend copies out and tests compare as text.
public struct Canvas: Sendable, Equatable {
    public let columns: Int
    public let rows: Int
    /// Row by row, `columns * rows` of them.
    public private(set) var cells: [Cell]
    /// Where the terminal's cursor belongs (a text field, or the selected row for screen readers); nil hides it.
    public var cursor: Position?

    /// A place on the screen, from 0, 0 at the top left.
    public struct Position: Sendable, Equatable {
        public var column: Int
        public var row: Int

        public init(column: Int, row: Int) {
            self.column = column
            self.row = row
        }
    }

    /// An empty picture; sizes are taken as at least 0 and at most 1000 each way.
    public init(columns: Int, rows: Int) {
        self.columns = min(max(columns, 0), 1000)
        self.rows = min(max(rows, 0), 1000)
        cells = Array(repeating: Cell(), count: self.columns * self.rows)
    }

    /// The cell at a place; a blank outside the picture. Writes outside are ignored.
    public subscript(column: Int, row: Int) -> Cell {
        get { contains(column, row) ? cells[row * columns + column] : Cell() }
        set { if contains(column, row) { cells[row * columns + column] = newValue } }
    }

    /// The cells of one row; empty outside the picture.
    public func row(_ row: Int) -> ArraySlice<Cell> {
        guard row >= 0, row < rows else { return [] }
        return cells[(row * columns)..<((row + 1) * columns)]
    }

    private func contains(_ column: Int, _ row: Int) -> Bool {
        column >= 0 && column < columns && row >= 0 && row < rows
    }

    /// Puts one glyph at a place and mends a wide character it cuts in half.
    mutating func put(
        _ glyph: DisplayText.Glyph, _ column: Int, _ row: Int, _ role: StyleRole, _ attributes: CellAttributes
    ) {
        guard contains(column, row), column + glyph.width <= columns else { return }
        let index = row * columns + column
        if glyph.width == 1, cells[index].width == 1 {
            // By far the most; nothing to mend.
            cells[index] = Cell(glyph.character, role: role, attributes: attributes)
            return
        }
        if self[column, row].isContinuation { self[column - 1, row] = blank(like: self[column - 1, row]) }
        let last = column + glyph.width - 1
        if self[last, row].width == 2 { self[last + 1, row] = blank(like: self[last + 1, row]) }
        self[column, row] = Cell(glyph.character, role: role, attributes: attributes, width: glyph.width)
        if glyph.width == 2 {
            self[column + 1, row] = Cell(" ", role: role, attributes: attributes, width: 0)
        }
    }

    private func blank(like cell: Cell) -> Cell { Cell(" ", role: cell.role, attributes: cell.attributes) }
}

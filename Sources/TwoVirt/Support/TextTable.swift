import Console

/// A listing for people: a head and rows in columns. Names come from guests, so every cell is made safe for a terminal.
struct TextTable {
    private let head: [String]
    private var rows: [[String]] = []
    private let rightAligned: Set<String>

    init(_ head: [String], rightAligned: Set<String> = []) {
        self.head = head
        self.rightAligned = rightAligned
    }

    mutating func add(_ row: [String]) { rows.append(row.map { $0.isEmpty ? "-" : Self.printable($0) }) }

    /// The lines, two blanks between columns, no blanks at their ends.
    var lines: [String] {
        let all = [head] + rows
        let widths = head.indices.map { column in
            all.map { $0.indices.contains(column) ? DisplayText.width($0[column]) : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() where column < widths.count {
                let blanks = String(repeating: " ", count: widths[column] - DisplayText.width(cell))
                line += rightAligned.contains(head[column]) ? blanks + cell : cell + blanks
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// Without control characters and whatever else would move the cursor.
    static func printable(_ text: String) -> String {
        String(DisplayText.glyphs(text).map(\.character))
    }
}

extension Canvas {
    /// The picture as lines of text without trailing blanks, for tests, dumps and screen readers.
    public var text: String {
        lines { row in
            var line = ""
            for cell in row where !cell.isContinuation { line.append(cell.character) }
            return line
        }
    }

    /// One letter per column: the role's letter, in upper case when the cell has attributes of its own; a blank with
    /// the `text` role and no attributes is a blank.
    public var styleText: String {
        lines { row in
            var line = ""
            for cell in row {
                if cell.role == .text, cell.attributes.isEmpty, cell.character == " " {
                    line.append(" ")
                } else if cell.attributes.isEmpty {
                    line.append(cell.role.letter)
                } else {
                    line += String(cell.role.letter).uppercased()
                }
            }
            return line
        }
    }

    private func lines(_ describe: (ArraySlice<Cell>) -> String) -> String {
        var result = ""
        for index in 0..<rows {
            var line = describe(row(index))[...]
            while line.last == " " { line.removeLast() }
            result += line
            result += "\n"
        }
        return result
    }
}

/// A part of the screen; never of negative size.
struct Rect: Sendable, Equatable {
    var column: Int
    var row: Int
    var width: Int
    var height: Int

    init(_ column: Int, _ row: Int, _ width: Int, _ height: Int) {
        self.column = column
        self.row = row
        self.width = max(0, width)
        self.height = max(0, height)
    }

    /// Without the box around it.
    var inside: Rect { Rect(column + 1, row + 1, width - 2, height - 2) }
    var isEmpty: Bool { width == 0 || height == 0 }

    func contains(_ column: Int, _ row: Int) -> Bool {
        column >= self.column && column < self.column + width && row >= self.row && row < self.row + height
    }

    /// The first `count` rows, and the others.
    func splitTop(_ count: Int) -> (Rect, Rect) {
        let count = min(max(0, count), height)
        return (Rect(column, row, width, count), Rect(column, row + count, width, height - count))
    }
}

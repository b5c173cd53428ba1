/// One column of the screen.
public struct Cell: Sendable, Equatable {
    /// One base character with its combining marks; safe to send to a terminal.
    public var character: Character
    public var role: StyleRole
    public var attributes: CellAttributes
    /// Columns of `character`: 1, 2 for the left half of a wide one, 0 for the right half that follows it.
    public var width: Int

    public init(
        _ character: Character = " ", role: StyleRole = .text, attributes: CellAttributes = [], width: Int = 1
    ) {
        self.character = character
        self.role = role
        self.attributes = attributes
        self.width = width
    }

    /// Whether this is the right half of a wide character: the terminal backend skips it.
    public var isContinuation: Bool { width == 0 }
}

/// What a cell or a theme adds to the colours.
public struct CellAttributes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let bold = CellAttributes(rawValue: 1)
    public static let dim = CellAttributes(rawValue: 2)
    public static let underline = CellAttributes(rawValue: 4)
    public static let reverse = CellAttributes(rawValue: 8)
    public static let italic = CellAttributes(rawValue: 16)
}

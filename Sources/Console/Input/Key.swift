/// One key, wheel step or other act of the operator's hands, as the terminal backend names it.
public enum Key: Hashable, Sendable {
    case character(Character)
    case up, down, left, right
    case pageUp, pageDown, home, end
    case insert, delete, backspace
    case enter, escape, tab, backTab
    /// F1 is 1.
    case function(Int)
    /// ctrl with a lower-case letter: `control("z")`.
    case control(Character)
    case mouse(Mouse)
    /// Text pasted as a whole (bracketed paste).
    case paste(String)
}

/// A mouse report.
public struct Mouse: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// 1 left, 2 middle, 3 right.
        case press(Int)
        case release(Int)
        case wheelUp
        case wheelDown
    }

    public var column: Int
    public var row: Int
    public var action: Action

    public init(column: Int, row: Int, action: Action) {
        self.column = column
        self.row = row
        self.action = action
    }
}

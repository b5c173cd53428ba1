/// One report of ncurses.
enum RawInput: Equatable, Sendable {
    /// A character, by its code point.
    case character(UInt32)
    /// A `KEY_` code.
    case key(Int32)
    case mouse(column: Int32, row: Int32, buttons: UInt32)
}

import CTerminal
import Console
import Foundation

/// The terminal while the console has it: alternate screen, raw keys, colours, stderr parked, crashes guarded.
@ScreenActor
public final class Screen {
    public let choice: TerminalChoice
    public private(set) var columns: Int
    public private(set) var rows: Int
    public var depth: ColorDepth { palette.depth }
    /// Nothing is coloured, by the terminal, by NO_COLOR or by the theme.
    public var isMono: Bool { palette.isMono }

    let palette: Palette
    var decoder = KeyDecoder()
    var end: ScreenExit?
    /// Set by our own stop: the SIGCONT that ended it is no news.
    var expectsContinue = false
    /// What the terminal shows, nil when every row must be drawn.
    var shown: Canvas?
    private var mouseIsOn: Bool
    private let synchronizes: Bool

    /// Takes the terminal. `ct_block_signals` must have been called first thing in main.
    public init(choice: TerminalChoice, theme: Theme, mouse: Bool) throws(ScreenError) {
        self.choice = choice
        ct_park_stderr()
        ct_guard_crashes()
        guard ct_start(choice.name) else {
            ct_unpark_stderr()
            throw .notStarted(choice.name)
        }
        let depth = choice.depth(colors: Int(ct_colors()))
        palette = Palette(theme: theme, depth: depth, pairLimit: ct_color_pairs())
        synchronizes = depth != .mono && depth != .ansi8
        mouseIsOn = mouse
        var (rows, columns): (Int32, Int32) = (0, 0)
        ct_window_size(&rows, &columns)
        ct_resize(rows, columns)
        self.rows = Int(rows)
        self.columns = Int(columns)
        ct_set_mouse(mouse)
    }

    /// Gives the terminal back, and shows what was written to stderr meanwhile.
    public func close() {
        ct_stop()
        ct_unpark_stderr()
    }

    /// Ends the loop when control is back with it.
    public func finish() { if end == nil { end = .finished } }

    public func use(_ theme: Theme) {
        palette.use(theme)
        shown = nil
    }

    /// Mouse reports off leave the terminal's own selection working.
    public func setMouse(_ on: Bool) {
        mouseIsOn = on
        ct_set_mouse(on)
    }

    /// Draws every cell again at the next frame.
    public func repaint() {
        shown = nil
        ct_invalidate()
    }

    public func bell() { ct_bell() }

    /// Puts text into the operator's clipboard where the terminal supports OSC 52; at most 64 KiB.
    public func copy(_ text: String) {
        let base64 = Data(text.utf8.prefix(64 << 10)).base64EncodedString()
        base64.withCString { ct_copy_to_clipboard($0, base64.utf8.count) }
    }

    /// Gives the terminal back, stops the process, and takes the terminal again when it is continued.
    public func suspend() {
        ct_set_mouse(false)
        ct_leave()
        ct_unpark_stderr()
        expectsContinue = true
        ct_stop_self()
        ct_park_stderr()
        retake()
    }

    /// The terminal was somebody else's in between: modes, size and picture are unknown.
    func retake() {
        ct_resume()
        ct_set_mouse(mouseIsOn)
        shown = nil
        _ = takeSize()
    }

    /// Asks the terminal for its size; true when it has changed.
    func takeSize() -> Bool {
        var (rows, columns): (Int32, Int32) = (0, 0)
        ct_window_size(&rows, &columns)
        guard Int(rows) != self.rows || Int(columns) != self.columns else { return false }
        ct_resize(rows, columns)
        self.rows = Int(rows)
        self.columns = Int(columns)
        shown = nil
        return true
    }

    /// Brings a picture onto the terminal; ncurses sends only what differs.
    func present(_ canvas: Canvas) {
        let sameSize = shown?.rows == canvas.rows && shown?.columns == canvas.columns
        for row in 0..<min(canvas.rows, rows) {
            let cells = canvas.row(row)
            if sameSize, let shown, shown.row(row) == cells { continue }
            put(cells, row: row)
        }
        if let cursor = canvas.cursor, cursor.row < rows, cursor.column < columns {
            ct_set_cursor(Int32(cursor.row), Int32(cursor.column))
        } else {
            ct_set_cursor(-1, -1)
        }
        ct_present(synchronizes)
        shown = canvas
    }

    private func put(_ cells: ArraySlice<Cell>, row: Int) {
        var text: [UInt32] = []
        var widths: [UInt8] = []
        var attributes: [attr_t] = []
        var pairs: [Int32] = []
        text.reserveCapacity(cells.count * 2)
        for cell in cells where !cell.isContinuation {
            for scalar in cell.character.unicodeScalars where scalar.value != 0 {
                text.append(scalar.value)
            }
            text.append(0)
            widths.append(cell.width == 2 ? 2 : 1)
            let look = palette.look(cell.role, cell.attributes)
            attributes.append(look.attributes)
            pairs.append(look.pair)
        }
        ct_put_row(Int32(row), text, widths, attributes, pairs, Int32(widths.count))
    }
}

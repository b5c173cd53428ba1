/// How much fits, from the size of the screen (columns and rows both must be there).
public enum Tier: Int, Sendable, Comparable, CaseIterable {
    /// Anything smaller: one line with the counts.
    case line
    case extraSmall
    case small
    case medium
    case large
    case extraLarge

    /// The smallest screen of the tier.
    public var minimum: (columns: Int, rows: Int) {
        switch self {
        case .line: (0, 0)
        case .extraSmall: (20, 5)
        case .small: (50, 12)
        case .medium: (76, 22)
        case .large: (110, 30)
        case .extraLarge: (180, 45)
        }
    }

    /// The tier for a size; a `current` one is left only when two columns or rows are missing, so that dragging a
    /// window's edge does not flap.
    public static func of(columns: Int, rows: Int, current: Tier? = nil) -> Tier {
        func fits(_ tier: Tier, slack: Int) -> Bool {
            columns >= tier.minimum.columns - slack && rows >= tier.minimum.rows - slack
        }
        let natural = allCases.last { fits($0, slack: 0) } ?? .line
        guard let current, current > natural else { return natural }
        return allCases.last { $0 <= current && ($0 == natural || fits($0, slack: 2)) } ?? natural
    }

    public static func < (left: Tier, right: Tier) -> Bool { left.rawValue < right.rawValue }

    /// VMs and devices are one list.
    var isTree: Bool { self <= .medium }
    var isBoxed: Bool { self >= .medium }
}

/// Where everything is on the screen.
struct Layout: Sendable, Equatable {
    var tier: Tier
    var title: Rect
    var panes: [Pane: Rect]
    /// A column of its own for the selected transfer, at XL.
    var detail: Rect?
    /// The last events where the events pane is not shown.
    var ticker: Rect
    var status: Rect
    var hints: Rect
    /// All between the title and the status lines.
    var body: Rect

    init(columns: Int, rows: Int, tier: Tier, focus: Pane, zoomed: Bool) {
        self.tier = tier
        panes = [:]
        title = Rect(0, 0, columns, min(rows, 1))
        let statusRows: Int
        let hintRows: Int
        let tickerRows: Int
        switch tier {
        case .line: (statusRows, hintRows, tickerRows) = (0, 0, 0)
        case .extraSmall: (statusRows, hintRows, tickerRows) = (1, rows >= 9 ? 1 : 0, 0)
        case .small: (statusRows, hintRows, tickerRows) = (1, 1, 1)
        case .medium: (statusRows, hintRows, tickerRows) = (2, 1, rows >= 24 ? 3 : 2)
        case .large, .extraLarge: (statusRows, hintRows, tickerRows) = (2, 1, 0)
        }
        hints = Rect(0, rows - hintRows, columns, hintRows)
        status = Rect(0, rows - hintRows - statusRows, columns, statusRows)
        let below = hintRows + statusRows
        let tickers = focus == .events ? 0 : tickerRows
        ticker = Rect(0, rows - below - tickers, columns, tickers)
        body = Rect(0, 1, columns, rows - 1 - below - tickers)
        guard tier != .line else { return }
        if zoomed || tier <= .small {
            panes[tier.isTree && focus == .devices ? .vms : focus] = body
        } else if tier == .medium {
            arrangeMedium(focus)
        } else {
            arrangeLarge()
        }
    }

    private mutating func arrangeMedium(_ focus: Pane) {
        if focus == .events {
            panes[.events] = body
            return
        }
        let left = min(max(body.width * 46 / 100, 36), 52)
        panes[.vms] = Rect(body.column, body.row, left, body.height)
        panes[.traffic] = Rect(body.column + left, body.row, body.width - left, body.height)
    }

    private mutating func arrangeLarge() {
        let isExtra = tier == .extraLarge
        let eventRows = isExtra ? min(body.height / 4, 14) : min(8, body.height / 3)
        let (top, bottom) = body.splitTop(body.height - eventRows)
        panes[.events] = bottom
        let columns = body.width
        let vms = isExtra ? max(30, columns * 17 / 100) : min(max(columns * 24 / 100, 26), 36)
        let devices = isExtra ? max(46, columns * 27 / 100) : min(max(columns * 37 / 100, 42), 62)
        let detail = isExtra ? min(max(60, columns * 30 / 100), 76) : 0
        var column = top.column
        func take(_ width: Int) -> Rect {
            defer { column += width }
            return Rect(column, top.row, width, top.height)
        }
        panes[.vms] = take(vms)
        panes[.devices] = take(devices)
        panes[.traffic] = take(columns - vms - devices - detail)
        if isExtra { self.detail = take(detail) }
    }

    /// The part of a pane that is its own; without the box where there is one.
    func inside(_ pane: Pane) -> Rect? {
        panes[pane].map { tier.isBoxed ? $0.inside : $0 }
    }
}

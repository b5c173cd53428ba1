/// A picture being drawn from a model; each part of the screen is an extension.
struct Screen {
    let model: ConsoleModel
    let glyphs: GlyphSet
    /// No colours: the focused pane needs a double line.
    let mono: Bool
    let layout: Layout
    var canvas: Canvas

    init(_ model: ConsoleModel, glyphs: GlyphSet, mono: Bool) {
        self.model = model
        // Where only lists fit, a braille display is as likely as a small window.
        self.glyphs = model.tier <= .extraSmall ? .ascii : glyphs
        self.mono = mono || glyphs == .ascii
        layout = model.layout
        canvas = Canvas(columns: model.columns, rows: model.rows)
    }

    /// Draws a pane's box and gives what is inside.
    mutating func pane(_ pane: Pane, title: StyledText, remark: StyledText = StyledText()) -> Rect {
        guard let rect = layout.panes[pane] else { return Rect(0, 0, 0, 0) }
        guard layout.tier.isBoxed else { return rect }
        canvas.box(rect, title: title, remark: remark, focused: isFocused(pane), double: mono)
        return rect.inside
    }

    func isFocused(_ pane: Pane) -> Bool { model.focusedPane == pane }

    /// `1 VMs`, in the style of the focus.
    func paneTitle(_ pane: Pane, _ name: String) -> StyledText {
        var title = StyledText("\(pane.rawValue) ", isFocused(pane) ? .focus : .dim)
        title.add(name, isFocused(pane) ? .focus : .title, isFocused(pane) ? .bold : [])
        return title
    }

    /// Draws the visible rows of a list and marks the selected one.
    mutating func list(_ pane: Pane, _ rect: Rect, row: (Screen, RowID, Int) -> StyledText) {
        let ids = model.rowIDs(pane)
        let offset = min(max(0, model.positions[pane]?.offset ?? 0), max(0, ids.count - 1))
        let cursor = model.cursor(pane)
        for line in 0..<rect.height where ids.indices.contains(offset + line) {
            let id = ids[offset + line]
            let isSelected = id == cursor
            let text = StyledText(isSelected ? ">" : " ") + row(self, id, rect.width - 1)
            let mark: Canvas.Mark = isSelected ? (isFocused(pane) ? .selected : .remembered) : .none
            canvas.draw(text, rect.column, rect.row + line, width: rect.width, mark: mark)
        }
    }

    /// The line under a list: how much is out of sight, and the filter.
    mutating func footer(_ pane: Pane, _ inside: Rect, idle: StyledText = StyledText()) {
        guard layout.tier.isBoxed, inside.height > 4 else { return }
        let count = model.rowIDs(pane).count
        let rect = model.listRect(pane)
        let above = model.positions[pane]?.offset ?? 0
        let below = count - above - rect.height
        var text = StyledText()
        if above > 0 { text.add(" ↑ \(above)", .dim) }
        if below > 0 { text.add(" ↓ \(below) more", .dim) }
        if let filter = model.filters[pane] {
            text.add("  /", .hintKey)
            text.add(filter.text, filter.error == nil ? .good : .bad)
            text.add("  Esc clears", .dim)
        } else if below <= 0, above <= 0 {
            text.add(idle)
        }
        canvas.draw(text, inside.column, inside.row + inside.height - 1, width: inside.width)
    }

    /// Lines of text from the top of a part of the screen.
    mutating func lines(_ lines: [StyledText], _ rect: Rect) {
        for (index, line) in lines.prefix(rect.height).enumerated() {
            canvas.draw(line, rect.column, rect.row + index, width: rect.width)
        }
    }
}

extension ConsoleModel {
    /// Draws the screen at the size last told. With `mono`, nothing is told apart by colour alone.
    public func render(glyphs: GlyphSet = .unicode, mono: Bool = false) -> Canvas {
        var screen = Screen(self, glyphs: glyphs, mono: mono)
        screen.draw()
        return screen.glyphs == .ascii ? screen.canvas.ascii() : screen.canvas
    }
}

extension Screen {
    mutating func draw() {
        drawTitle()
        guard layout.tier != .line else { return }
        if model.live.snapshot == nil {
            drawWaiting()
        } else {
            if layout.panes[.vms] != nil { layout.tier.isTree ? drawTree() : drawVMs() }
            if layout.panes[.devices] != nil, !layout.tier.isTree { drawDevices() }
            if layout.panes[.traffic] != nil { drawTraffic() }
            if layout.panes[.events] != nil { drawEvents() }
            if let detail = layout.detail { drawTransferDetail(detail) }
            drawTicker()
            // The last truth, but not the present one.
            if !model.isConnected { canvas.grey(layout.body) }
        }
        drawStatus()
        drawHints()
        drawOverlay()
    }

    /// Before the first snapshot.
    private mutating func drawWaiting() {
        let text: String
        switch model.connection {
        case .connecting: text = "connecting to the engine …"
        case .connected: text = "connected; waiting for the first picture …"
        case .lost(let reason, let retryAt):
            text = "no engine: \(reason)" + (retryAt.map { "; next try in \(Format.duration($0 - model.now))" } ?? "")
        }
        let lines = Fit.wrap(text, max(1, layout.body.width - 4), lines: 4)
        let top = layout.body.row + max(0, (layout.body.height - lines.count) / 2)
        for (index, line) in lines.enumerated() where top + index < layout.body.row + layout.body.height {
            let column = max(0, (layout.body.width - DisplayText.width(line)) / 2)
            canvas.draw(StyledText(line, .title), column, top + index, width: layout.body.width - column)
        }
    }
}

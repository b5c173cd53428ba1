import ControlProtocol

/// Boxes over the panes.
extension Screen {
    mutating func drawOverlay() {
        switch model.mode {
        case .panes, .filter, .command, .typing: break
        case .plug(let chooser): drawPlug(chooser)
        case .theme(let chooser): drawThemes(chooser)
        case .help(let help): drawHelp(help)
        case .board(let board): drawBoard(board)
        case .quit: drawQuit()
        }
    }

    /// A box in the middle of the screen with at least what fits; its inside, without a box on small screens.
    mutating func overlay(_ title: String, width: Int, height: Int, remark: StyledText = StyledText()) -> Rect {
        let boxed = layout.tier.isBoxed
        // The status and hint lines stay: they belong to the overlay now.
        let space = Rect(0, min(1, model.rows), model.columns, max(0, layout.hints.row - 1))
        let width = boxed ? min(width + 2, space.width) : space.width
        let height = boxed ? min(height + 2, space.height) : space.height
        let rect = Rect(
            space.column + (space.width - width) / 2, space.row + (space.height - height) / 2, width, height)
        canvas.clear(rect)
        guard boxed else {
            canvas.draw(StyledText(title, .focus, .bold), rect.column, rect.row, width: rect.width)
            return Rect(rect.column, rect.row + 1, rect.width, rect.height - 1)
        }
        canvas.box(rect, title: StyledText(title, .focus, .bold), remark: remark, focused: true, double: mono)
        return rect.inside
    }

    private mutating func drawPlug(_ chooser: PlugChooser) {
        let rows = model.rows(of: chooser)
        let title: String
        switch chooser.stage {
        case .device: title = "Plug which device?"
        case .vm(let device): title = "Plug \(Fit.cut(device, 30)) into which VM?"
        }
        let wire = StyledText("via \(chooser.via.rawValue)", .dim)
        let inside = overlay(title, width: 92, height: min(max(rows.count, 1), 16) + 6, remark: wire)
        guard inside.height > 0 else { return }
        let field = StyledText(" /", .hintKey) + StyledText(chooser.editor.text)
        canvas.draw(field, inside.column, inside.row, width: inside.width)
        canvas.cursor = Canvas.Position(
            column: min(inside.column + 2 + DisplayText.width(chooser.editor.beforeCursor), max(0, model.columns - 1)),
            row: inside.row)
        let noteRows = inside.height >= 8 ? 4 : inside.height >= 4 ? 1 : 0
        let list = Rect(inside.column, inside.row + 1, inside.width, inside.height - 1 - noteRows)
        let index = model.index(of: chooser, in: rows)
        let offset = max(0, min(index - list.height / 2, rows.count - list.height))
        let name = min(max(12, rows.map { DisplayText.width($0.name) }.max() ?? 0), max(8, inside.width * 2 / 5))
        for line in 0..<list.height where rows.indices.contains(offset + line) {
            let row = rows[offset + line]
            let isOff = row.reason != nil
            var text = StyledText(offset + line == index ? ">" : " ")
            text.add(row.state.glyph + " ", isOff ? .off : row.state.role)
            text.column(row.name, name, .left, isOff ? .off : .title)
            text.add("  " + (row.reason ?? row.note), isOff ? .off : .dim)
            canvas.draw(
                text, list.column, list.row + line, width: list.width, mark: offset + line == index ? .selected : .none)
        }
        let notes = Rect(inside.column, list.row + list.height, inside.width, noteRows)
        if rows.isEmpty {
            let lacksVMs = model.live.vms.isEmpty && chooser.stage != .device
            lines(lacksVMs ? model.noVMs(list.width) : [StyledText(" nothing matches", .warn)], list)
        }
        drawPlugNotes(chooser, rows.indices.contains(index) ? rows[index] : nil, notes)
    }

    /// Under the list: why not, or what would be plugged.
    private mutating func drawPlugNotes(_ chooser: PlugChooser, _ row: ChooserRow?, _ rect: Rect) {
        guard rect.height > 0, let row else { return }
        var notes: [StyledText] = rect.height > 1 ? [StyledText("")] : []
        if let reason = row.reason {
            notes += Fit.wrap("\(row.name): \(reason)", max(1, rect.width - 2), lines: 3).map {
                StyledText(" " + $0, .warn)
            }
        } else {
            switch chooser.stage {
            case .device:
                if let device = model.live.device(row.id) {
                    notes.append(
                        StyledText(" \(device.vidpid) \(device.product)", .title)
                            + StyledText("  \(device.serialNumber)", .dim))
                    let parts = device.interfaces.map { "\($0.name) (\($0.title)\($0.gate == .on ? "" : ", off"))" }
                    notes += Fit.wrap(parts.joined(separator: ", "), max(1, rect.width - 2), lines: 2).map {
                        StyledText(" " + $0, .dim)
                    }
                }
            case .vm(let device):
                notes.append(
                    StyledText(" Enter", .hintKey)
                        + StyledText(" plugs \(device) into \(row.name) via \(chooser.via.rawValue)"))
                notes.append(StyledText(" \(row.note)", .dim))
            }
        }
        lines(notes, rect)
    }

    private mutating func drawThemes(_ chooser: ThemeChooser) {
        let inside = overlay("Theme", width: 34, height: model.themes.count + StyleRole.states.count)
        let list = Rect(inside.column, inside.row, inside.width, max(0, inside.height - StyleRole.states.count))
        let offset = max(0, min(chooser.cursor - list.height / 2, model.themes.count - list.height))
        for line in 0..<list.height where model.themes.indices.contains(offset + line) {
            let isSelected = offset + line == chooser.cursor
            let text = StyledText((isSelected ? "> " : "  ") + model.themes[offset + line])
            canvas.draw(text, list.column, list.row + line, width: list.width, mark: isSelected ? .selected : .none)
        }
        let words: [(StyleRole, String)] = [
            (.good, "● running, plugged, on"), (.warn, "‖ paused, muted, stall"), (.bad, "✗ lost, rejected, fault"),
            (.busy, "◐ changing"), (.off, "○ off, unplugged"),
        ]
        lines(
            words.map { StyledText("  " + $0.1, $0.0) },
            Rect(list.column, list.row + list.height, list.width, inside.height - list.height))
    }

    private mutating func drawHelp(_ help: HelpState) {
        let all = model.helpLines(help)
        let inside = overlay(
            "Keys", width: 86, height: min(max(all.count, 3), 44) + 1,
            remark: StyledText("↑↓ scroll, type to search", .dim))
        guard inside.height > 0 else { return }
        canvas.draw(
            StyledText(" /", .hintKey) + StyledText(help.editor.text), inside.column, inside.row, width: inside.width)
        canvas.cursor = Canvas.Position(
            column: min(inside.column + 2 + DisplayText.width(help.editor.beforeCursor), max(0, model.columns - 1)),
            row: inside.row)
        let list = Rect(inside.column, inside.row + 1, inside.width, inside.height - 1)
        lines(Array(all.dropFirst(max(0, min(help.offset, all.count - list.height)))), list)
        if all.isEmpty { lines([StyledText(" no key for that", .dim)], list) }
    }

    private mutating func drawQuit() {
        let plugged = model.live.devices.count { $0.staysInVM }
        let pid = model.live.snapshot?.engine.pid ?? 0
        let inside = overlay("Leave the console?", width: 64, height: 4)
        lines(
            [
                StyledText(" \(Format.plural(plugged, "device")) stay plugged; engine pid \(pid) keeps serving."),
                StyledText(""),
                StyledText(" Enter", .hintKey) + StyledText(" or ", .dim) + StyledText("q", .hintKey)
                    + StyledText(" leave   ")
                    + StyledText("Esc", .hintKey) + StyledText(" stay"),
            ], inside)
    }
}

extension ConsoleModel {
    /// The help's lines: the context it was asked in first, then the others; only what matches the search.
    func helpLines(_ help: HelpState) -> [StyledText] {
        let search = help.editor.text.lowercased()
        var lines: [StyledText] = []
        let contexts = [help.context] + KeyContext.allCases.filter { $0 != help.context && isReachable($0) }
        var said: Set<String> = []
        for context in contexts {
            let bindings = KeyTable.bindings(in: context).filter { binding in
                let isNew = !said.contains(binding.id)
                let text = "\(binding.keyLabel) \(binding.description)".lowercased()
                return isNew && (search.isEmpty || text.contains(search))
            }
            guard !bindings.isEmpty else { continue }
            lines.append(StyledText(" \(context.title)", .title, .bold))
            for binding in bindings {
                said.insert(binding.id)
                var line = StyledText("  ")
                let reason = context == help.context ? disabledReason(binding.action) : nil
                line.column(binding.keyLabel, 14, .left, reason == nil ? .hintKey : .off)
                line.add(binding.description, reason == nil ? .text : .off)
                if let reason { line.add("  (not now: \(reason))", .off) }
                lines.append(line)
            }
        }
        return lines
    }

    /// At this size one of tree and tables exists.
    private func isReachable(_ context: KeyContext) -> Bool {
        switch context {
        case .tree: tier.isTree
        case .vms, .devices: !tier.isTree
        default: true
        }
    }
}

extension Binding {
    /// Apart from every other binding.
    var id: String { keyLabel + "|" + description }
}

import ControlProtocol

/// Keys while something is typed or chosen. Letters are only ever text here.
extension ConsoleModel {
    mutating func performInMode(_ action: Action) -> [ConsoleEffect] {
        switch action {
        case .repaint: return [.repaint]
        case .suspend: return [.suspend]
        default: break
        }
        switch mode {
        case .panes: return []
        case .quit:
            mode = .panes
            return action == .accept ? [.quit] : []
        case .filter(let pane, let editor, let before): performInFilter(action, pane, editor, before)
        case .command(let prompt): return performInCommand(action, prompt)
        case .typing(let prompt): return performInTyping(action, prompt)
        case .plug(let chooser): return performInPlug(action, chooser)
        case .theme(let chooser): return performInTheme(action, chooser)
        case .help(let help): performInHelp(action, help)
        case .board(let board): return performInBoard(action, board)
        }
        return []
    }

    /// A key without a binding: text where text is taken, else nothing.
    mutating func type(_ key: Key) -> [ConsoleEffect] {
        let text: String
        switch key {
        case .character(let character): text = String(character)
        case .paste(let pasted):
            // A paste goes to the guest whole, line breaks and all, behind what stands in the line.
            if case .typing(var prompt) = mode {
                let typed = prompt.editor.text + pasted
                prompt.editor.replace(with: "")
                mode = .typing(prompt)
                return typed.isEmpty ? [] : type(typed, with: prompt)
            }
            text = pasted
        default: return []
        }
        edit { $0.insert(text) }
        return []
    }

    /// Changes the text of the present field, and what hangs on it.
    private mutating func edit(_ change: (inout LineEditor) -> Void) {
        switch mode {
        case .panes, .theme, .board, .quit: break
        case .filter(let pane, var editor, let before):
            change(&editor)
            filters[pane] = editor.isEmpty ? nil : Filter(editor.text)
            mode = .filter(pane, editor, before: before)
        case .command(var prompt):
            change(&prompt.editor)
            prompt.historyIndex = nil
            mode = .command(prompt)
        case .typing(var prompt):
            change(&prompt.editor)
            mode = .typing(prompt)
        case .plug(var chooser):
            let before = chooser.editor.text
            change(&chooser.editor)
            if chooser.editor.text != before { chooser.cursor = nil }
            notice = nil
            mode = .plug(chooser)
        case .help(var help):
            change(&help.editor)
            help.offset = 0
            mode = .help(help)
        }
    }

    /// The editing actions that are the same in every field; false when it is none of them.
    private mutating func editText(_ action: Action) -> Bool {
        switch action {
        case .left: edit { $0.left() }
        case .right: edit { $0.right() }
        case .toStart: edit { $0.toStart() }
        case .toEnd: edit { $0.toEnd() }
        case .deleteBack: edit { $0.deleteBack() }
        case .deleteForward: edit { $0.deleteForward() }
        case .deleteWord: edit { $0.deleteWord() }
        case .clear: edit { $0.replace(with: "") }
        default: return false
        }
        return true
    }

    private mutating func performInFilter(_ action: Action, _ pane: Pane, _ editor: LineEditor, _ before: Filter?) {
        switch action {
        case .accept: mode = .panes
        case .cancel:
            filters[pane] = before
            mode = .panes
        case .up: move(by: -1)
        case .down: move(by: 1)
        case .pageUp: move(by: -pageSize)
        case .pageDown: move(by: pageSize)
        default: _ = editText(action)
        }
    }

    private mutating func performInPlug(_ action: Action, _ chooser: PlugChooser) -> [ConsoleEffect] {
        switch action {
        case .accept: return accept(chooser)
        case .cancel:
            notice = nil
            if case .vm = chooser.stage, !chooser.editor.isEmpty {
                edit { $0.replace(with: "") }
            } else {
                mode = .panes
            }
        case .complete:
            var chooser = chooser
            chooser.via = chooser.via == .usbredir ? .usbip : .usbredir
            mode = .plug(chooser)
        case .up: move(chooser, by: -1)
        case .down: move(chooser, by: 1)
        case .pageUp: move(chooser, by: -8)
        case .pageDown: move(chooser, by: 8)
        default: _ = editText(action)
        }
        return []
    }

    private mutating func performInTheme(_ action: Action, _ chooser: ThemeChooser) -> [ConsoleEffect] {
        switch action {
        case .accept: mode = .panes
        case .cancel:
            mode = .panes
            return theme == chooser.before ? [] : [.loadTheme(chooser.before)]
        case .up: return move(chooser, by: -1)
        case .down: return move(chooser, by: 1)
        default: break
        }
        return []
    }

    private mutating func performInHelp(_ action: Action, _ help: HelpState) {
        var help = help
        switch action {
        case .accept, .cancel:
            mode = .panes
            return
        case .up: help.offset -= 1
        case .down: help.offset += 1
        case .pageUp: help.offset -= max(1, rows - 8)
        case .pageDown: help.offset += max(1, rows - 8)
        default:
            _ = editText(action)
            return
        }
        help.offset = min(max(0, help.offset), max(0, helpLines(help).count - 1))
        mode = .help(help)
    }

    private mutating func performInTyping(_ action: Action, _ prompt: TypePrompt) -> [ConsoleEffect] {
        var prompt = prompt
        switch action {
        case .accept:
            let line = prompt.editor.text + "\n"
            prompt.editor.replace(with: "")
            mode = .typing(prompt)
            return type(line, with: prompt)
        case .cancel: mode = .panes
        default: _ = editText(action)
        }
        return []
    }

    private mutating func performInCommand(_ action: Action, _ prompt: CommandPrompt) -> [ConsoleEffect] {
        var prompt = prompt
        switch action {
        case .accept:
            mode = .panes
            return run(prompt.editor.text)
        case .cancel: mode = .panes
        case .complete:
            let completed = CommandLine.complete(prompt.editor.beforeCursor, self)
            if let completed { prompt.editor.replace(with: completed) }
            mode = .command(prompt)
        case .up, .down:
            guard !history.isEmpty else { break }
            let next = (prompt.historyIndex ?? -1) + (action == .up ? 1 : -1)
            let index = min(next, history.count - 1)
            prompt.historyIndex = index < 0 ? nil : index
            prompt.editor.replace(with: index < 0 ? "" : history[history.count - 1 - index])
            mode = .command(prompt)
        default:
            if !editText(action) { return [] }
        }
        return []
    }
}

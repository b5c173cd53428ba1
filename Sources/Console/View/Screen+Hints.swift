/// The last line: the keys of this moment, printed from the key table; greyed where they would be refused.
extension Screen {
    mutating func drawHints() {
        let rect = layout.hints
        guard rect.height > 0 else { return }
        let context = model.keyContext
        let bindings = KeyTable.bindings(in: context).filter { $0.hint != nil && isWorthHinting($0) }
        // Help and quit are never crowded out.
        let tail = bindings.filter(isLast).map { (binding: $0, text: hint($0)) }
        let gap = layout.tier <= .small ? 1 : 2
        var room = rect.width - 1 - tail.reduce(0) { $0 + $1.text.width + gap }
        var line = StyledText(" ")
        for binding in bindings where !isLast(binding) {
            let text = hint(binding)
            guard text.width + gap <= room else { continue }
            room -= text.width + gap
            line.add(text)
            line.add(String(repeating: " ", count: gap))
        }
        for (_, text) in tail {
            line.add(text)
            line.add(String(repeating: " ", count: gap))
        }
        canvas.draw(line, rect.column, rect.row, width: rect.width)
    }

    private func isLast(_ binding: Binding) -> Bool {
        binding.action == .help || binding.action == .quit && layout.tier > .extraSmall
    }

    private func hint(_ binding: Binding) -> StyledText {
        guard let hint = binding.hint, var key = binding.keys.first?.label else { return StyledText() }
        if key == "space", layout.tier <= .small { key = "spc" }
        let isOff = KeyContext.panes.contains(model.keyContext) && model.disabledReason(binding.action) != nil
        return StyledText(key, isOff ? .off : .hintKey)
            + StyledText(" " + model.hint(binding.action, hint), isOff ? .off : .text)
    }

    /// What can only be refused, and tells nothing by being there, is left out.
    private func isWorthHinting(_ binding: Binding) -> Bool {
        switch binding.action {
        case .undo, .nextFault, .board: model.disabledReason(binding.action) == nil
        case .complete:
            switch model.mode {
            case .command, .plug: true
            default: false
            }
        default: true
        }
    }
}

extension ConsoleModel {
    /// The hint as it is at this moment.
    func hint(_ action: Action, _ hint: String) -> String {
        switch action {
        case .toggle:
            guard let device = targetDevice, case .interface(_, let name) = target,
                let interface = device.interface(name)
            else {
                return hint
            }
            return interface.gate == .on ? "off" : "on"
        case .freeze: return isFrozen ? "live" : hint
        case .pin: return pinned == nil ? hint : "unpin"
        case .accept:
            if case .filter = mode { return "keep" }
            if case .typing = mode { return "type it" }
            return hint
        case .zoom: return zoomed ? "unzoom" : hint
        case .drill where focus == .traffic: return transferCursor == nil ? hint : "follow"
        default: return hint
        }
    }
}

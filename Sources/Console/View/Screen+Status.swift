import ControlProtocol

/// The lines above the hints: what is selected, and what a key would do to it before it is pressed.
extension Screen {
    mutating func drawStatus() {
        let rect = layout.status
        guard rect.height > 0 else { return }
        if let (prompt, column) = prompt {
            let row = rect.row + rect.height - 1
            canvas.draw(prompt, 0, row, width: rect.width)
            if column < rect.width { canvas.cursor = Canvas.Position(column: column, row: row) }
            if rect.height > 1 { canvas.draw(promptHelp, 0, rect.row, width: rect.width) }
            return
        }
        if rect.height > 1 {
            if model.live.snapshot != nil {
                canvas.draw(StyledText(" ") + model.selectionSummary, 0, rect.row, width: rect.width)
            }
            canvas.draw(StyledText(" ") + (urgent ?? model.prospect), 0, rect.row + 1, width: rect.width)
        } else {
            let short = layout.tier <= .small
            canvas.draw(urgent ?? (short ? model.shortSummary : model.selectionSummary), 0, rect.row, width: rect.width)
        }
    }

    /// What must be read now.
    private var urgent: StyledText? {
        if let armed = model.armed {
            let left = max(0, armed.until - model.now)
            if layout.tier <= .extraSmall { return StyledText(armed.short, .warn, .bold) }
            return StyledText(armed.question, .warn, .bold) + StyledText("  \(Format.whole(left + 0.999)) s", .dim)
        }
        if case .panes = model.mode, let notice = model.notice { return StyledText(notice.text, notice.role) }
        if case .lost(let reason, let retryAt) = model.connection {
            let retry = retryAt.map { "; retry in \(Format.duration($0 - model.now))" } ?? ""
            let shown = model.live.snapshot == nil ? "" : " Shown is the state of \(model.clock(model.live.time))."
            return StyledText("engine: \(reason)\(retry).\(shown)", .bad)
        }
        if model.connection == .connecting, model.live.snapshot != nil {
            return StyledText(
                "connecting to the engine … Shown is the state of \(model.clock(model.live.time)).", .busy)
        }
        if let oldest = model.pending.values.min(by: { $0.sentAt < $1.sentAt }) {
            let others = model.pending.count > 1 ? "  +\(model.pending.count - 1)" : ""
            return StyledText("\(oldest.label) … \(Format.duration(max(0, model.now - oldest.sentAt)))\(others)", .busy)
        }
        if let steps = model.firstSteps { return StyledText(steps, .title) }
        return nil
    }

    /// The line being typed, and where its cursor is.
    private var prompt: (StyledText, Int)? {
        let sign: String
        let editor: LineEditor
        var role = StyleRole.text
        switch model.mode {
        case .filter(let pane, let typed, _):
            sign = "/"
            editor = typed
            if let filter = model.filters[pane] { role = filter.error == nil ? .good : .bad }
        case .command(let command):
            sign = ":"
            editor = command.editor
        case .typing(let typing):
            sign = "\(typing.device)/\(typing.keyboard)> "
            editor = typing.editor
        default: return nil
        }
        var line = StyledText(" " + sign, .hintKey) + StyledText(editor.text, role)
        if case .filter(let pane, _, _) = model.mode, layout.status.height < 2 {
            line.add("  " + Format.plural(model.rowIDs(pane).count, "row"), .dim)
        }
        return (line, 1 + DisplayText.width(sign) + DisplayText.width(editor.beforeCursor))
    }

    /// What can be typed, or what is wrong with what was.
    private var promptHelp: StyledText {
        switch model.mode {
        case .filter(let pane, _, _):
            let count = Format.plural(model.rowIDs(pane).count, "row")
            if let error = model.filters[pane]?.error { return StyledText(" \(error)", .bad) }
            return StyledText(" \(count)", .good) + StyledText("  words  state:lost  kind:serial  rate>1k  !not", .dim)
        case .command(let command):
            let words = CommandLine.candidates(command.editor.beforeCursor, model)
            return StyledText(" " + words.joined(separator: "  "), .dim)
        case .typing:
            return StyledText(" Enter types the line, and Enter; what you paste is typed at once, as it is", .dim)
        default: return StyledText()
        }
    }
}

extension ConsoleModel {
    /// Where the selected object is, how it is, since when and by whom.
    var selectionSummary: StyledText {
        let picture = shown
        switch target {
        case .shelf:
            let count = picture.devices(at: .shelf).count
            return StyledText("unplugged", .title) + StyledText("  \(Format.plural(count, "device"))", .dim)
        case .vm(let id):
            guard let vm = picture.vm(id) else { return StyledText() }
            let word = vm.stateWord
            var text = StyledText(vm.name, .title) + StyledText("  \(word.word)", word.role)
            text.add(" since \(clock(vm.since))" + (vm.reason.map { ": \($0)" } ?? ""), .dim)
            if !vm.controllers.isEmpty, vm.state == .running || vm.state == .paused { text.add("  \(offer(vm))", .dim) }
            return text
        case .device(let name):
            guard let device = picture.device(name) else { return StyledText() }
            return path(device) + summary(device)
        case .interface(let deviceName, let name):
            guard let device = picture.device(deviceName), let interface = device.interface(name) else {
                return StyledText()
            }
            let number = interface.number.map { "if\($0) " } ?? ""
            let word = interface.stateWord
            var text = path(device) + StyledText(" › ", .dim) + StyledText("\(number)\(interface.name)", .title)
            text.add(" \(interface.title)", .dim)
            text.add("  \(word.word.uppercased())", word.role)
            text.add(" since \(clock(interface.since)) by \(interface.by)", .dim)
            if let trouble = interface.trouble {
                text.add("  \(trouble)", .bad)
            } else if !interface.backend.isEmpty {
                text.add("  to \(interface.backend)", .dim)
            }
            return text
        }
    }

    private func path(_ device: DeviceSnapshot) -> StyledText {
        var text = StyledText()
        if device.state != .unplugged, let vm = device.attachment?.vm {
            text.add(vm, .title)
            text.add(" › ", .dim)
        }
        text.add(device.name, .title)
        return text
    }

    private func summary(_ device: DeviceSnapshot) -> StyledText {
        let word = device.stateWord
        var text = StyledText("  \(word.word)", word.role)
        if device.since > 0 { text.add(" since \(clock(device.since)) by \(device.by)", .dim) }
        if let reason = device.trouble ?? device.reason { text.add(": \(reason)", word.role) }
        if device.state != .unplugged, let place = device.attachment {
            let port = [place.controller, place.port.map { "port \($0)" }, place.speed.map { "\($0) speed" }].compactMap
            { $0 }
            text.add("  \(place.via.rawValue)" + (port.isEmpty ? "" : " " + port.joined(separator: " ")), .dim)
        }
        if let export = device.export {
            if let importer = export.importer {
                text.add("  \(device.state == .imported ? "usbip " : "")from \(importer.peer)", .dim)
                if let time = importer.roundTrip { text.add(" \(Format.roundTrip(time))", .dim) }
            } else if device.state == .unplugged, device.isExported {
                text.add("  bus id \(export.busID)", .dim)
            }
        }
        text.add("  \(device.vidpid) \(device.product)", .dim)
        return text
    }

    /// For one line of 20 to 60 columns.
    var shortSummary: StyledText {
        if case .interface(let device, let name) = target, let interface = shown.interface(device, name) {
            let word = interface.stateWord
            let note = note(interface).map { " \($0)" } ?? " \(word.word)"
            let effect = interface.effect.isEmpty ? "" : "; space: \(interface.effect)"
            return StyledText(interface.name, .title) + StyledText(note, word.role) + StyledText(effect, .dim)
        }
        if let fault = shown.faults(about: target).first { return StyledText("! " + fault.message, .bad) }
        guard tier <= .extraSmall, let name = target.device, let device = shown.device(name) else {
            return selectionSummary
        }
        let word = device.stateWord
        let text = StyledText(note(device) ?? "\(word.word) \(clock(device.since).prefix(5))", word.role)
        return text + StyledText(" by \(device.by)", .dim)
    }

    /// What the keys would do to the selected object, or why they would not.
    var prospect: StyledText {
        var text: StyledText
        if let fault = shown.faults(about: target).first {
            text = StyledText("! \(fault.message)", .bad)
        } else {
            text = keyProspect
        }
        if let undo = undos.last {
            text.add("   U", .hintKey)
            text.add(" \(undo.label) (\(Format.whole(undo.until - now)) s)", .dim)
        }
        return text
    }

    private var keyProspect: StyledText {
        func key(_ name: String, _ text: String, _ role: StyleRole = .dim) -> StyledText {
            StyledText(name, .hintKey) + StyledText(" \(text)", role)
        }
        switch target {
        case .interface(let device, let name):
            guard let interface = shown.interface(device, name) else { return StyledText() }
            if let reason = disabledReason(.toggle) { return key("space", reason) }
            let turn = interface.gate == .on ? "off" : "on"
            // The engine's words begin with what would be done, or say why it cannot be.
            return key("space", interface.effect.isEmpty ? turn : interface.effect, .text)
        case .device(let name):
            guard let device = shown.device(name) else { return StyledText() }
            if device.state == .unplugged {
                if let reason = disabledReason(.plug) ?? plugReason(device) { return key("p", reason) }
                return key("p", "choose a VM for it", .text)
            }
            if let reason = disabledReason(.unplug) { return key("u", reason) }
            return key("u", "unplug: \(unplugEffect(device))", .text)
        case .vm(let id):
            guard let vm = shown.vm(id) else { return StyledText() }
            if let reason = disabledReason(.plug) { return key("p", reason) }
            if let free = live.devices.first(where: { plugReason($0) == nil }) {
                if let reason = plugReason(free, into: vm, via: wire(into: vm)) {
                    return key("p", "nothing can be plugged here: \(reason)")
                }
                return key("p", "plug a device here", .text) + StyledText("   ") + key("Enter", "its devices")
            }
            return key("p", "no device is free to plug")
        case .shelf:
            if let reason = disabledReason(.plug) { return key("p", reason) }
            return key("Enter", tier.isTree ? "show or hide them" : "choose one", .text)
        }
    }
}

import ControlProtocol

/// From keys to actions, by the key table alone.
extension ConsoleModel {
    mutating func take(_ key: Key) -> [ConsoleEffect] {
        if case .mouse(let mouse) = key { return click(mouse) }
        let context = keyContext
        let binding = KeyTable.binding(for: key, in: context)
        if let armed {
            if confirms(armed, binding?.action) { return fireArmed(armed) }
            self.armed = nil
            // The key that says no does nothing else.
            if binding?.action != .repaint, binding?.action != .suspend {
                tell("not done", .dim, seconds: 2)
                return []
            }
        }
        if case .panes = mode, notice?.role != .good { notice = nil }
        guard let binding else { return type(key) }
        if let reason = disabledReason(binding.action), KeyContext.panes.contains(context) {
            tell("\(binding.keys.first?.label ?? ""): \(reason)")
            return [.bell]
        }
        return KeyContext.panes.contains(context) ? perform(binding.action) : performInMode(binding.action)
    }

    private func confirms(_ armed: Armed, _ action: Action?) -> Bool {
        switch armed.verb {
        case .unplug: action == .unplug
        case .toggleAll: action == .toggle
        }
    }

    /// Keys of the panes.
    private mutating func perform(_ action: Action) -> [ConsoleEffect] {
        switch action {
        case .up: move(by: -1)
        case .down: move(by: 1)
        case .pageUp: move(by: -pageSize)
        case .pageDown: move(by: pageSize)
        case .first: move(by: -100_000)
        case .last: move(by: 100_000)
        case .fold: fold()
        case .unfold: unfold()
        case .drill: drill()
        case .back: back()
        case .nextPane: cycle(1)
        case .previousPane: cycle(-1)
        case .pane1: focusOrZoom(.vms)
        case .pane2: focusOrZoom(.devices)
        case .pane3: focusOrZoom(.traffic)
        case .pane4: focusOrZoom(.events)
        case .zoom: zoomed.toggle()
        case .toggle: return toggle()
        case .plug: choosePlug()
        case .unplug: armUnplug()
        case .eject: return eject()
        case .type:
            if let (device, keyboard) = targetKeyboard {
                mode = .typing(TypePrompt(device: device.name, keyboard: keyboard.name))
            }
        case .undo: return undo()
        case .board: openBoard()
        case .filter:
            mode = .filter(focusedPane, LineEditor(filters[focusedPane]?.text ?? ""), before: filters[focusedPane])
        case .command: mode = .command(CommandPrompt())
        case .help: mode = .help(HelpState(context: keyContext))
        case .pin: pinned = pinned == nil ? trafficSelector : nil
        case .freeze: frozen = frozen == nil ? live : nil
        case .theme: mode = .theme(ThemeChooser(before: theme, cursor: themes.firstIndex(of: theme) ?? 0))
        case .nextFault: goToNextFault()
        case .copy: return [.copy(copyText)]
        case .mouse:
            mouseCapture.toggle()
            return [.mouseCapture(mouseCapture)]
        case .repaint: return [.repaint]
        case .suspend: return [.suspend]
        case .quit: return quit()
        case .accept, .cancel, .complete, .deleteBack, .deleteForward, .deleteWord, .clear, .left, .right, .toStart,
            .toEnd, .hold, .resetChip:
            break
        }
        return []
    }

    /// Asks only while there is something to say.
    private mutating func quit() -> [ConsoleEffect] {
        guard connection == .connected, live.devices.contains(where: \.staysInVM) else { return [.quit] }
        mode = .quit
        return []
    }

    private mutating func cycle(_ step: Int) {
        let panes: [Pane] = tier.isTree ? [.vms, .traffic, .events] : Pane.allCases
        let index = panes.firstIndex(of: focusedPane) ?? 0
        setFocus(panes[(index + step + panes.count) % panes.count])
    }

    private mutating func focusOrZoom(_ pane: Pane) {
        let pane = tier.isTree && pane == .devices ? .vms : pane
        if focusedPane == pane { zoomed.toggle() } else { setFocus(pane) }
    }

    private mutating func drill() {
        switch focus {
        case .vms where !tier.isTree: setFocus(.devices)
        case .vms, .devices:
            switch target {
            case .vm, .shelf: if tier.isTree { folds[target] = !isUnfolded(target) }
            case .device(let name):
                if tier.isTree, !isUnfolded(target) {
                    folds[target] = true
                } else if shown.device(name) != nil {
                    setFocus(.traffic)
                }
            case .interface: setFocus(.traffic)
            }
        case .traffic: transferCursor = transferCursor == nil ? transferRows().last?.sequence : nil
        case .events:
            let rows = eventRows()
            if let id = eventCursor ?? rows.first { goTo(id) }
        }
    }

    /// One step out: first what is on top, at last nothing.
    private mutating func back() {
        if zoomed {
            zoomed = false
        } else if filters[focusedPane] != nil {
            filters[focusedPane] = nil
        } else {
            switch focus {
            case .traffic where transferCursor != nil: transferCursor = nil
            case .traffic: setFocus(tier.isTree ? .vms : object == nil ? .vms : .devices)
            case .events where eventCursor != nil: eventCursor = nil
            case .events: setFocus(tier.isTree ? .vms : object == nil ? .vms : .devices)
            case .devices: setFocus(.vms)
            case .vms: if tier.isTree, object != nil { foldOut() } else { firstSteps = nil }
            }
        }
    }

    private mutating func fold() {
        guard focus == .vms || focus == .devices else { return }
        if !tier.isTree, focus == .vms { return }
        if isFoldable(target), isUnfolded(target) { folds[target] = false } else { foldOut() }
    }

    /// To what holds the selected row.
    private mutating func foldOut() {
        if case .interface(let device, _) = object {
            select(.device(device))
        } else if tier.isTree {
            object = nil
        } else {
            setFocus(.vms)
        }
    }

    private mutating func unfold() {
        guard focus == .vms || focus == .devices else { return }
        if isFoldable(target), !isUnfolded(target) { folds[target] = true } else { drillIn() }
    }

    private mutating func drillIn() {
        if !tier.isTree, focus == .vms {
            setFocus(.devices)
        } else if target.device != nil {
            move(by: isUnfolded(target) ? 1 : 0)
        }
    }

    private mutating func goToNextFault() {
        let faults = shown.faults
        let current: Int? =
            if case .fault(let subject, let message) = eventCursor {
                faults.firstIndex { $0.subject == subject && $0.message == message }
            } else {
                nil
            }
        let next = faults[((current ?? -1) + 1) % faults.count]
        goTo(.fault(next.subject, next.message))
        eventCursor = .fault(next.subject, next.message)
    }

    /// Selects what a fault or an event is about; if that is gone, says so.
    private mutating func goTo(_ id: EventRowID) {
        let subject: Subject? =
            switch id {
            case .fault(let subject, _): subject
            case .event(let key): shown.events.entries.first { $0.key == key }?.event.subject
            }
        guard let subject else { return }
        guard let object = shown.object(of: subject) else {
            tell("\(subject) is not here any more", .dim)
            return
        }
        filters[.vms] = nil
        filters[.devices] = nil
        select(object)
        setFocus(object.isPlace ? .vms : .devices)
    }

    /// The selected row as one line of text.
    private var copyText: String {
        switch focus {
        case .traffic:
            guard let row = heldTransfer else { return "" }
            let bytes = row.head.map { Format.hex($0, 2) }.joined(separator: " ")
            return
                "\(clock(row.time)) ep \(Format.hex(row.endpoint, 2)) \(row.type) \(row.actual) \(row.status) \(row.decode)  \(bytes)"
        case .events:
            guard let id = eventCursor ?? eventRows().first else { return "" }
            switch id {
            case .fault(let subject, let message): return "\(subject) \(message)"
            case .event(let key):
                guard let event = shown.events.entries.first(where: { $0.key == key })?.event else { return "" }
                return "\(clock(event.time)) \(event.subject) \(event.message)"
            }
        case .vms, .devices: return selectionSummary.plain
        }
    }

    /// The transfer shown in detail: the held one, else the newest.
    var heldTransfer: TransferRow? {
        if let transferCursor { return shown.traffic.transfers.first { $0.sequence == transferCursor } }
        return transferRows().last
    }
}

import ControlProtocol

/// Which row each list stands on, and what is on the screen of it.
extension ConsoleModel {
    /// What verbs act on: the row the keys are on in a list of objects.
    var target: ObjectID {
        if !tier.isTree, focus == .vms { return place }
        return object ?? place
    }

    /// The device the target is or belongs to.
    var targetDevice: DeviceSnapshot? { target.device.flatMap { live.device($0) } }

    /// Whose traffic is shown: the pinned object's, else the selected one's.
    var trafficSelector: TrafficSelector? {
        if let pinned { return pinned }
        guard tier.isTree || focus != .vms else { return nil }
        switch object {
        case .device(let name): return TrafficSelector(device: name)
        case .interface(let device, let name): return TrafficSelector(device: device, interface: name)
        case .vm, .shelf, nil: return nil
        }
    }

    func cursor(_ pane: Pane) -> RowID? {
        switch pane {
        case .vms: .object(tier.isTree ? object ?? place : place)
        case .devices: tier.isTree ? .object(object ?? place) : object.map(RowID.object)
        case .traffic: transferCursor.map(RowID.transfer)
        case .events: eventCursor.map(RowID.event)
        }
    }

    mutating func select(_ row: RowID, in pane: Pane) {
        switch row {
        case .object(let id): select(id)
        case .transfer(let sequence): transferCursor = sequence
        case .event(let id): eventCursor = id
        }
    }

    /// Selects an object, its place with it, unfolded as far as needed.
    mutating func select(_ id: ObjectID) {
        guard let name = id.device, let device = shown.device(name) else {
            place = id.isPlace ? id : place
            object = nil
            return
        }
        place = shown.place(of: device)
        object = id
        if tier.isTree, !isUnfolded(place) { folds[place] = true }
        if case .interface = id, !isUnfolded(.device(name)) { folds[.device(name)] = true }
    }

    /// Puts everything right after a change: the selection exists, follows its device to another VM, and is on the
    /// screen. With `anchored`, what changed was not the operator's doing: the selected row stays on its line.
    mutating func settle(anchored: Bool) {
        settleSelection()
        for pane in layout.panes.keys { settleList(pane, anchored: anchored) }
    }

    private mutating func settleSelection() {
        if case .interface(let device, _) = object, let id = object, !shown.exists(id) { object = .device(device) }
        if let id = object {
            if let name = id.device, let device = shown.device(name) {
                let home = shown.place(of: device)
                if home != place {
                    place = home
                    if tier.isTree, !isUnfolded(home) { folds[home] = true }
                }
            } else {
                object = nil
            }
        }
        if !shown.exists(place) {
            let rows = places()
            let index = min(positions[.vms]?.index ?? 0, max(0, rows.count - 1))
            place = rows.indices.contains(index) ? rows[index] : .shelf
        }
        if !tier.isTree, focus == .devices, object == nil { object = deviceRows(at: place).first }
    }

    private mutating func settleList(_ pane: Pane, anchored: Bool) {
        let rows = rowIDs(pane)
        let height = max(1, listRect(pane).height)
        var position = positions[pane] ?? ListPosition()
        let lastOffset = max(0, rows.count - height)
        guard let cursor = cursor(pane) else {
            // Following: the newest transfer is at the bottom, the newest event at the top.
            position.offset = pane == .traffic ? lastOffset : 0
            position.index = pane == .traffic ? max(0, rows.count - 1) : 0
            positions[pane] = position
            return
        }
        let before = position.index - position.offset
        if let index = rows.firstIndex(of: cursor) {
            position.index = index
        } else {
            position.index = min(position.index, max(0, rows.count - 1))
            if pane == .traffic {
                // A held transfer fell out of the log: all that is left is newer.
                transferCursor = nil
            } else if rows.indices.contains(position.index) {
                select(rows[position.index], in: pane)
            }
        }
        if anchored { position.offset = position.index - before }
        // A moved selection keeps a line of what is around it in sight.
        let margin = anchored || height < 5 ? 0 : 1
        position.offset = min(position.offset, position.index - margin)
        position.offset = max(position.offset, position.index - height + 1 + margin)
        position.offset = max(0, min(position.offset, lastOffset))
        positions[pane] = position
    }

    /// Moves the selection of the focused pane.
    mutating func move(by step: Int) {
        let pane = focusedPane
        let rows = rowIDs(pane)
        guard !rows.isEmpty else { return }
        let current = cursor(pane).flatMap { rows.firstIndex(of: $0) } ?? (pane == .traffic ? rows.count - 1 : 0)
        let next = min(max(0, current + step), rows.count - 1)
        if pane == .traffic, next == rows.count - 1, step > 0 {
            transferCursor = nil
        } else if pane == .events, next == 0, step < 0 {
            eventCursor = nil
        } else {
            select(rows[next], in: pane)
        }
    }

    /// The pane that has the keys, as it is shown at this size.
    var focusedPane: Pane { tier.isTree && focus == .devices ? .vms : focus }

    /// Rows of a page: one less than fit, so that one stays for the eye.
    var pageSize: Int { max(1, listRect(focusedPane).height - 1) }

    mutating func setFocus(_ pane: Pane) {
        focus = tier.isTree && pane == .devices ? .vms : pane
        if !tier.isTree, pane == .devices, object == nil { object = deviceRows(at: place).first }
    }

    /// Keeps the same thing selected when the panes change with the size of the screen.
    mutating func setTier(_ new: Tier) {
        let old = tier
        tier = new
        guard old.isTree != new.isTree else { return }
        if new.isTree {
            if focus == .vms { object = nil }
            if focus == .devices { focus = .vms }
            if let object { select(object) }
        } else if focus == .vms, object != nil {
            focus = .devices
        }
    }
}

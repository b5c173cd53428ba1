import ControlProtocol

/// VMs, devices and interfaces in one list, on the smaller screens.
extension Screen {
    mutating func drawTree() {
        let total = model.shown.vms.count
        let shown = model.treeRows().count { if case .vm = $0 { true } else { false } }
        let remark = StyledText(model.filters[.vms] == nil ? "\(total)" : "\(shown)/\(total)", .dim)
        let inside = pane(.vms, title: paneTitle(.vms, "Tree"), remark: remark)
        let isPlain = layout.tier == .extraSmall
        list(.vms, model.listRect(.vms)) { screen, id, width in
            guard case .object(let id) = id else { return StyledText() }
            return isPlain ? screen.plainRow(id, width) : screen.treeRow(id, width)
        }
        footer(.vms, inside)
    }

    private func treeRow(_ id: ObjectID, _ width: Int) -> StyledText {
        switch id {
        case .shelf:
            let count = model.shown.devices(at: .shelf).count
            var text = fold(id) + StyledText("○ unplugged", .off)
            text.column("\(count) dev", width - text.width, .right, .off)
            return text
        case .vm(let vmID):
            guard let vm = model.shown.vm(vmID) else { return StyledText() }
            let word = model.sign(id, vm.stateWord)
            let state =
                vm.state == .running ? Format.bytes(model.rate(id).bytes) + "/s" : vm.shortState(model.age(vm.since))
            var text = fold(id) + StyledText(word.glyph + " ", word.role)
            text.column(vm.name, width - 3 - 17, .left, vm.state == .running ? .title : word.role)
            text.column("\(model.shown.devices(at: id).count) dev", 8, .right, .dim)
            text.column(state, 9, .right, vm.state == .running ? .text : word.role)
            return text
        case .device(let name):
            guard let device = model.shown.device(name) else { return StyledText() }
            return row(device, width)
        case .interface(let deviceName, let name):
            guard let device = model.shown.device(deviceName), let interface = device.interface(name) else {
                return StyledText()
            }
            return row(interface, of: device, width)
        }
    }

    private func fold(_ id: ObjectID) -> StyledText {
        guard model.isFoldable(id) else { return StyledText(" ") }
        return StyledText(model.isUnfolded(id) ? "▾" : "▸", .frame)
    }

    private func isLast(_ device: DeviceSnapshot) -> Bool {
        model.shown.devices(at: model.shown.place(of: device)).last?.name == device.name
    }

    private func row(_ device: DeviceSnapshot, _ width: Int) -> StyledText {
        let id = ObjectID.device(device.name)
        let word = model.sign(id, device.stateWord)
        var text = StyledText(isLast(device) ? " └" : " ├", .frame) + fold(id) + StyledText(word.glyph + " ", word.role)
        let note = model.note(device)
        let showsID = width >= 50 && note == nil
        let name = max(8, width - 6 - (note.map { max(11, DisplayText.width($0)) } ?? 11 + (showsID ? 10 : 0)))
        text.column(device.name, name, .left, .title)
        if showsID { text.add(" " + device.vidpid, .dim) }
        text.add(" ")
        if let note {
            text.column(note, max(0, width - text.width), .left, word.role)
        } else {
            let rate = model.rate(id).bytes
            text.add(device.shortSpeed, .dim)
            text.column(Format.bytes(rate) + "/s", max(0, width - text.width), .right, rate > 0 ? .text : .dim)
        }
        return text
    }

    private func row(_ interface: InterfaceSnapshot, of device: DeviceSnapshot, _ width: Int) -> StyledText {
        let id = ObjectID.interface(device: device.name, name: interface.name)
        let word = model.sign(id, interface.stateWord)
        let isLastHere = device.interfaces.last?.name == interface.name
        var text = StyledText((isLast(device) ? "   " : " │ ") + (isLastHere ? "└" : "├"), .frame)
        text.add(word.glyph, word.role)
        text.column(interface.number.map(String.init) ?? "-", 2, .left, .dim)
        let spark = width >= 50 ? 8 : 4
        let note = model.note(interface)
        text.add(
            label(
                interface, max(8, width - 9 - (note.map { max(10 + spark, DisplayText.width($0) + 1) } ?? spark + 10))))
        text.add(" ")
        if let note {
            text.column(note, max(0, width - text.width), .left, word.role)
        } else {
            let rate = model.rate(id).bytes
            text.add(
                Graph.sparkline(model.shown.rates.line(id, now: model.shownTime), width: spark, glyphs: glyphs), .in)
            text.column(Format.bytes(rate) + "/s", max(0, width - text.width), .right, rate > 0 ? .text : .dim)
        }
        return text
    }

    /// Names and state words only: for braille displays and very small windows.
    private func plainRow(_ id: ObjectID, _ width: Int) -> StyledText {
        let step = width >= 30 ? 2 : 1
        let (depth, name, state, role) = plain(id, width)
        let indent = String(repeating: " ", count: depth * step)
        let room = max(4, width - indent.count - DisplayText.width(state) - 1)
        var text = StyledText(indent)
        text.column(name, room, .left, role == .bad || role == .off ? role : .text)
        text.add(" ")
        text.add(state, role)
        return text
    }

    private func plain(_ id: ObjectID, _ width: Int) -> (Int, String, String, StyleRole) {
        let mark = model.shown.faults(about: id).isEmpty ? "" : "! "
        switch id {
        case .shelf: return (0, "unplugged", "\(model.shown.devices(at: .shelf).count) dev", .off)
        case .vm(let vmID):
            guard let vm = model.shown.vm(vmID) else { return (0, "", "", .text) }
            let count = model.shown.devices(at: id).count
            let devices = width >= 30 ? "  \(count) dev" : ""
            let word = model.sign(id, vm.stateWord)
            let state =
                vm.state == .running
                ? Format.bytes(model.rate(id).bytes) + "/s" : vm.shortState(model.age(vm.since)).uppercased()
            return (0, mark + vm.name, state + devices, word.role)
        case .device(let name):
            guard let device = model.shown.device(name) else { return (1, "", "", .text) }
            let word = model.sign(id, device.stateWord)
            let rate = width >= 30 ? "  " + Fit.text(Format.bytes(model.rate(id).bytes) + "/s", 8, .right) : ""
            let note = width >= 30 ? model.note(device).map { Fit.cut($0, width / 2) } ?? word.word : word.word
            return (1, mark + device.name, word.role == .good ? "on" + rate : note, word.role)
        case .interface(let deviceName, let name):
            guard let interface = model.shown.interface(deviceName, name) else { return (2, "", "", .text) }
            let word = model.sign(id, interface.stateWord)
            let rate = width >= 30 ? "  " + Fit.text(Format.bytes(model.rate(id).bytes) + "/s", 8, .right) : ""
            let note =
                width >= 30 ? model.note(interface).map { Fit.cut($0, width / 2) } ?? word.word : word.word.uppercased()
            return (2, mark + interface.name, word.role == .good ? "on" + rate : note, word.role)
        }
    }
}

import ControlProtocol

/// Devices of one VM with their interfaces, on the larger screens.
extension Screen {
    mutating func drawDevices() {
        let devices = model.shown.devices(at: model.place)
        let interfaces = devices.reduce(0) { $0 + $1.interfaces.count }
        let title: String
        if case .vm(let id) = model.place, let vm = model.shown.vm(id) {
            title = "Devices of " + Fit.cut(vm.name, 20)
        } else {
            title = "Unplugged devices"
        }
        let inside = pane(
            .devices, title: paneTitle(.devices, title),
            remark: StyledText("\(devices.count) dev \(interfaces) if", .dim))
        var header = StyledText("   ")
        header.column("DEVICE / interface", inside.width - 13, .left, .dim)
        header.column("B/s", 10, .right, .dim)
        canvas.draw(header, inside.column, inside.row, width: inside.width)
        let rect = model.listRect(.devices)
        list(.devices, rect) { screen, id, width in
            guard case .object(let id) = id else { return StyledText() }
            return screen.deviceRow(id, width)
        }
        if devices.isEmpty { lines(emptyPlace(rect.width), rect) }
        footer(.devices, inside, idle: StyledText(" [x] on [ ] off [~] changing [!] fault", .dim))
    }

    /// What to do where there is nothing.
    private func emptyPlace(_ width: Int) -> [StyledText] {
        let text: String
        if model.shown.devices.isEmpty {
            text = "no devices: declare one in the configuration, [[device]]"
        } else if model.place == .shelf {
            text = "every device is plugged"
        } else {
            text = "nothing plugged here; p plugs a device"
        }
        return Fit.wrap(text, max(1, width - 2), lines: 3).map { StyledText(" " + $0, .dim) }
    }

    private func deviceRow(_ id: ObjectID, _ width: Int) -> StyledText {
        switch id {
        case .device(let name):
            guard let device = model.shown.device(name) else { return StyledText() }
            return row(device, width)
        case .interface(let deviceName, let name):
            guard let device = model.shown.device(deviceName), let interface = device.interface(name) else {
                return StyledText()
            }
            let isLast = device.interfaces.last?.name == name
            return StyledText(isLast ? " └" : " ├", .frame) + row(interface, of: device, width - 2)
        case .vm, .shelf: return StyledText()
        }
    }

    private func row(_ device: DeviceSnapshot, _ width: Int) -> StyledText {
        let id = ObjectID.device(device.name)
        let word = model.sign(id, device.stateWord)
        var text = StyledText(model.isUnfolded(id) ? "▾" : "▸", .frame)
        text.add(word.glyph + " ", word.role)
        let note = model.note(device)
        // A note needs the room more than the numbers do.
        let showsID = width >= 40 && note == nil
        let showsMore = width >= 64 && note == nil
        let name =
            note.map { max(10, width - 4 - max(11, DisplayText.width($0))) }
            ?? width - 3 - 11 - (showsID ? 10 : 0) - (showsMore ? 17 : 0)
        text.column(device.name, name, .left, .title)
        if showsID { text.add(" " + device.vidpid, .dim) }
        if let note {
            text.add(" ")
            text.column(note, width - text.width, .left, word.role)
            return text
        }
        if showsMore {
            let port =
                device.attachment.map { [$0.controller, $0.port].compactMap { $0 }.joined(separator: ".") } ?? ""
            text.add(" ")
            text.column(port, 10, .left, .dim)
            let problems = device.counters.errors &+ device.counters.stalls
            text.column(problems > 0 ? "e\(problems)" : "", 6, .right, .warn)
        }
        let rate = model.rate(id).bytes
        text.add(" " + device.shortSpeed, .dim)
        text.column(Format.bytes(rate), width - text.width, .right, rate > 0 ? .text : .dim)
        return text
    }

    private func row(_ interface: InterfaceSnapshot, of device: DeviceSnapshot, _ width: Int) -> StyledText {
        let id = ObjectID.interface(device: device.name, name: interface.name)
        let word = model.sign(id, interface.stateWord)
        var text = StyledText(word.glyph + " ", word.role)
        text.column(interface.number.map(String.init) ?? "-", 2, .left, .dim)
        let spark = width >= 50 ? 10 : 6
        let note = model.note(interface)
        let name = max(8, width - 6 - (note.map { max(12 + spark, DisplayText.width($0) + 1) } ?? 12 + spark))
        text.add(label(interface, name))
        if let note {
            text.add(" ")
            text.column(note, max(0, width - text.width), .left, word.role)
            return text
        }
        text.add(" \(min(interface.endpoints.count, 9))EP ", .dim)
        text.add(Graph.sparkline(model.shown.rates.line(id, now: model.shownTime), width: spark, glyphs: glyphs), .in)
        let rate = model.rate(id).bytes
        text.column(Format.bytes(rate), max(0, width - text.width), .right, rate > 0 ? .text : .dim)
        return text
    }

    /// Name, and what kind of thing it is as far as it fits.
    func label(_ interface: InterfaceSnapshot, _ width: Int) -> StyledText {
        var text = StyledText(Fit.cut(interface.name, width))
        let rest = width - text.width - 1
        if rest >= min(6, DisplayText.width(interface.title)) { text.add(" " + Fit.cut(interface.title, rest), .dim) }
        text.pad(to: width)
        return text
    }
}

extension ConsoleModel {
    /// What is to be said of a device that is not simply plugged and well.
    func note(_ device: DeviceSnapshot) -> String? {
        let age = Format.duration(age(device.since))
        switch device.state {
        case .unplugged: return device.trouble ?? device.stateWord.word
        case .imported: return "by \(device.export?.importer?.peer ?? device.by) \(age)"
        case .plugging: return "plugging \(age)"
        case .unplugging: return (device.reason ?? "leaving") + " \(age)"
        case .waiting: return "waits for \(device.attachment?.vm ?? "its VM")"
        case .rejected: return "rejected: \(device.reason ?? "no reason given")"
        case .plugged:
            if let trouble = device.trouble { return trouble }
            switch device.guest {
            case .configured: return nil
            case .deconfigured: return "deconfigured by guest"
            case .absent, .attached: return "not enumerated \(age)"
            case .enumerating: return "enumerating \(age)"
            }
        }
    }

    /// What is to be said of an interface that is not simply on and well.
    func note(_ interface: InterfaceSnapshot) -> String? {
        switch interface.gate {
        case .on: interface.trouble
        case .off: "off by \(interface.by) \(clock(interface.since))"
        case .muted: "muted by \(interface.by) \(clock(interface.since))"
        case .changing: "re-enumerating \(Format.duration(age(interface.since)))"
        }
    }
}

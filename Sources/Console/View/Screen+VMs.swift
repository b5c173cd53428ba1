import ControlProtocol

/// The VM table of the larger screens.
extension Screen {
    fileprivate enum VMColumn: CaseIterable {
        case devices, rate, cpu, uptime, memory, vcpus, accelerator, ports

        var heading: String {
            switch self {
            case .devices: "DEV"
            case .rate: "B/s"
            case .cpu: "CPU%"
            case .uptime: "UP"
            case .memory: "MEM"
            case .vcpus: "VCPU"
            case .accelerator: "ACC"
            case .ports: "FREE PORTS"
            }
        }

        var width: Int {
            switch self {
            case .devices: 3
            case .rate: 8
            case .cpu: 5
            case .uptime: 4
            case .memory: 6
            case .vcpus: 4
            case .accelerator: 4
            case .ports: 10
            }
        }
    }

    mutating func drawVMs() {
        let total = model.shown.vms.count
        let shown = model.places().count { $0 != .shelf }
        let remark = StyledText(model.filters[.vms] == nil ? "\(total)" : "\(shown)/\(total)", .dim)
        let inside = pane(.vms, title: paneTitle(.vms, "VMs"), remark: remark)
        let (columns, name) = columns(inside.width - 1)
        var header = StyledText("   ")
        header.column("NAME", name, .left, .dim)
        for column in columns { header.column(column.heading, column.width + 1, .right, .dim) }
        canvas.draw(header, inside.column, inside.row, width: inside.width)
        list(.vms, model.listRect(.vms)) { screen, id, _ in
            guard case .object(let id) = id else { return StyledText() }
            return screen.row(id, columns, name)
        }
        footer(.vms, inside, idle: StyledText(total == 0 ? " no VMs found" : " ", .dim))
    }

    /// The columns that leave the name enough room, and that room.
    private func columns(_ width: Int) -> ([VMColumn], name: Int) {
        var columns: [VMColumn] = []
        var name = width - 2
        for column in VMColumn.allCases {
            let floor = columns.count < 2 ? 8 : 16
            guard name - column.width - 1 >= floor else { break }
            name -= column.width + 1
            columns.append(column)
        }
        // A name far from its numbers is read in the wrong row.
        return (columns, min(max(0, name), 40))
    }

    /// What is in the VM's ports, or why it is as it is.
    private func remark(_ vm: VMSnapshot) -> String {
        if let reason = vm.reason { return reason }
        return vm.attached.map { $0.device ?? "(\($0.product))" }.joined(separator: ", ")
    }

    private func row(_ id: ObjectID, _ columns: [VMColumn], _ name: Int) -> StyledText {
        let devices = model.shown.devices(at: id)
        guard case .vm(let vmID) = id, let vm = model.shown.vm(vmID) else {
            var text = StyledText("○ ", .off)
            text.column("unplugged", name, .left, .off)
            if columns.contains(.devices) { text.column("\(devices.count)", 4, .right, .off) }
            return text
        }
        let word = model.sign(id, vm.stateWord)
        var text = StyledText(word.glyph + " ", word.role)
        let tail = columns.filter { $0 != .devices && $0 != .rate }
        text.column(vm.name, name, .left, vm.state == .running ? .text : word.role)
        if columns.contains(.devices) { text.column("\(devices.count)", 4, .right, devices.isEmpty ? .dim : .text) }
        if columns.contains(.rate) {
            if vm.state == .running {
                let rate = model.rate(id).bytes
                text.column(Format.bytes(rate), 9, .right, rate > 0 ? .text : .dim)
            } else {
                text.column(vm.shortState(model.age(vm.since)), 9, .right, word.role)
            }
        }
        for column in tail { text.column(vm.text(column, now: model.shownTime), column.width + 1, .right, .dim) }
        if columns.count == VMColumn.allCases.count { text.add("  " + remark(vm), .dim) }
        return text
    }
}

extension VMSnapshot {
    fileprivate func text(_ column: Screen.VMColumn, now: Double) -> String {
        switch column {
        case .devices, .rate: ""
        case .cpu: cpuPercent.map { Format.tenths(min($0, 9999)) } ?? "-"
        case .uptime: startedAt.map { Format.shortDuration(now - $0) } ?? "-"
        case .memory: memoryBytes.map { Format.bytes(Double($0)) } ?? "-"
        case .vcpus: vcpus.map(String.init) ?? "-"
        case .accelerator: accelerator ?? "-"
        case .ports:
            controllers.isEmpty
                ? "none"
                : "\(controllers.reduce(0) { $0 &+ $1.freePorts }) of \(controllers.reduce(0) { $0 &+ $1.ports })"
        }
    }
}

extension ConsoleModel {
    /// The sign of an object: its state's, or `!` when all looks well but something about it is broken.
    func sign(_ id: ObjectID, _ word: StateWord) -> StateWord {
        guard word.role == .good else { return word }
        if !shown.faults(about: id).isEmpty {
            return StateWord(glyph: word.glyph.hasPrefix("[") ? "[!]" : "!", word: word.word, role: .bad)
        }
        return hasTroubleWithin(id) ? StateWord(glyph: "!", word: word.word, role: .warn) : word
    }

    /// Whether something is broken in what an object holds.
    func hasTroubleWithin(_ id: ObjectID) -> Bool {
        switch id {
        case .interface: false
        case .device(let name):
            shown.device(name)?.interfaces.contains {
                $0.stateWord.role == .bad || !shown.faults(about: .interface(device: name, name: $0.name)).isEmpty
            } ?? false
        case .vm, .shelf:
            shown.devices(at: id).contains {
                $0.stateWord.role == .bad || !shown.faults(about: .device($0.name)).isEmpty
                    || hasTroubleWithin(.device($0.name))
            }
        }
    }
}

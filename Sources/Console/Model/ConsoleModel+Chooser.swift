import ControlProtocol

/// A row of the plug chooser.
struct ChooserRow: Sendable, Equatable {
    /// Device name or VM id.
    var id: String
    var name: String
    var state: StateWord
    var note: String
    /// Why it cannot be taken; nil when it can.
    var reason: String?
}

extension ConsoleModel {
    /// Rows that match what was typed; what can be taken comes first.
    func rows(of chooser: PlugChooser) -> [ChooserRow] {
        let filter = Filter(chooser.editor.text)
        let rows: [ChooserRow]
        switch chooser.stage {
        case .device:
            rows = live.devices.filter { filter.matches(facts($0)) }.map { device in
                let kinds = device.interfaces.map(\.title).joined(separator: ", ")
                return ChooserRow(
                    id: device.name, name: device.name, state: device.stateWord,
                    note: device.vidpid + "  " + kinds, reason: plugReason(device))
            }
        case .vm(let name):
            guard let device = live.device(name) else { return [] }
            rows = live.orderedVMs.filter { filter.matches(facts($0)) }.map { vm in
                ChooserRow(
                    id: vm.id, name: vm.name, state: vm.stateWord,
                    note: chooser.via == .usbip ? offerByUSBIP(vm) : offer(vm),
                    reason: plugReason(device, into: vm, via: chooser.via))
            }
        }
        return rows.filter { $0.reason == nil } + rows.filter { $0.reason != nil }
    }

    func index(of chooser: PlugChooser, in rows: [ChooserRow]) -> Int {
        rows.firstIndex { $0.id == chooser.cursor } ?? 0
    }

    mutating func move(_ chooser: PlugChooser, by step: Int) {
        let rows = rows(of: chooser)
        guard !rows.isEmpty else { return }
        var chooser = chooser
        chooser.cursor = rows[min(max(0, index(of: chooser, in: rows) + step), rows.count - 1)].id
        mode = .plug(chooser)
    }

    /// Enter: the device is chosen and the VM comes next, or the command is sent.
    mutating func accept(_ chooser: PlugChooser) -> [ConsoleEffect] {
        let rows = rows(of: chooser)
        guard !rows.isEmpty else { return [.bell] }
        let row = rows[index(of: chooser, in: rows)]
        if let reason = changeReasonForVerbs ?? row.reason {
            tell("\(row.name): \(reason)")
            return [.bell]
        }
        switch chooser.stage {
        case .device:
            guard let device = live.device(row.id) else { return [] }
            let cursor = preferredVM(for: device)
            mode = .plug(PlugChooser(stage: .vm(device: row.id), cursor: cursor, via: chooser.via))
            return []
        case .vm(let device):
            mode = .panes
            return plug(device, into: row.name, via: chooser.via)
        }
    }

    private var changeReasonForVerbs: String? { disabledReason(.plug) }

    /// Moves through the themes, each shown at once.
    mutating func move(_ chooser: ThemeChooser, by step: Int) -> [ConsoleEffect] {
        guard !themes.isEmpty else { return [] }
        var chooser = chooser
        chooser.cursor = min(max(0, chooser.cursor + step), themes.count - 1)
        mode = .theme(chooser)
        return [.loadTheme(themes[chooser.cursor])]
    }
}

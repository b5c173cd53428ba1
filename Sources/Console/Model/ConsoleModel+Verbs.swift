import ControlProtocol

/// The verbs that change something in a guest.
extension ConsoleModel {
    /// Switches an interface, or arms the switching of all of a device.
    mutating func toggle() -> [ConsoleEffect] {
        guard let device = targetDevice else { return [] }
        if case .interface(_, let name) = target, let interface = device.interface(name) {
            return [switchInterface(interface, of: device, to: interface.gate == .on ? .off : .on)]
        }
        let gate: GateState = device.interfaces.contains { $0.gate == .on } ? .off : .on
        let count = device.interfaces.filter { ($0.gate == .on) == (gate == .off) }.count
        let question = "select an interface, or space again: all \(count) of \(device.name) \(gate.rawValue)"
        arm(.toggleAll(device: device.name, gate: gate), question, short: "space again: all \(gate.rawValue)")
        return []
    }

    mutating func switchInterface(_ interface: InterfaceSnapshot, of device: DeviceSnapshot, to gate: GateState)
        -> ConsoleEffect
    {
        let back = Undo(
            commands: [.setInterface(device: device.name, interface: interface.name, gate: interface.gate)],
            label: "\(device.name)/\(interface.name) \(interface.gate.rawValue) again", until: 0)
        return send(
            .setInterface(device: device.name, interface: interface.name, gate: gate),
            "switch \(device.name)/\(interface.name) \(gate.rawValue)", undo: back)
    }

    /// Asks for `u` a second time, saying what the guest will notice.
    mutating func armUnplug() {
        guard let device = targetDevice else { return }
        arm(
            .unplug(device: device.name), "unplug \(device.name)? u again, any other key: no. " + unplugEffect(device),
            short: "u again: unplug \(device.name)")
    }

    private mutating func arm(_ verb: Armed.Verb, _ question: String, short: String) {
        notice = nil
        armed = Armed(verb: verb, question: question, short: short, until: now + Armed.seconds)
    }

    /// What pulling the device means for its guest at this moment.
    func unplugEffect(_ device: DeviceSnapshot) -> String {
        guard device.state == .plugged || device.state == .unplugging || device.state == .imported else {
            return device.state == .waiting
                ? "It will not be plugged again when its VM returns." : "The guest has not got it."
        }
        let vm = device.attachment?.vm ?? device.export?.importer?.peer ?? "its VM"
        var effects: [String] = []
        let disks = device.interfaces.filter { $0.gate == .on && $0.kind == "storage" }
        if !disks.isEmpty {
            let names = disks.map(\.name).joined(separator: ", ")
            effects.append("DISK \(names) not ejected, unwritten data is lost (e ejects)")
        }
        let count = device.interfaces.count { $0.gate != .off }
        effects.append("\(vm) loses \(Format.plural(count, "interface")) at once")
        let rate = live.rates.rate(.device(device.name), now: now)
        if rate.bytes > 0 { effects.append("moving \(Format.rate(rate.bytes)) now") }
        return effects.joined(separator: "; ")
    }

    mutating func fireArmed(_ armed: Armed) -> [ConsoleEffect] {
        self.armed = nil
        switch armed.verb {
        case .unplug(let name): return unplug(name)
        case .toggleAll(let name, let gate):
            guard let device = live.device(name) else { return [] }
            let changing = device.interfaces.filter { ($0.gate == .on) == (gate == .off) }
            return changing.map { switchInterface($0, of: device, to: gate) }
        }
    }

    mutating func unplug(_ name: String) -> [ConsoleEffect] {
        let device = live.device(name)
        let undo = (device?.state == .plugged ? device?.attachment : nil).map {
            Undo(
                commands: [.plug(device: name, vm: $0.vm, via: $0.via)], label: "plug \(name) into \($0.vm) again",
                until: 0)
        }
        return [send(.unplug(device: name), "unplug \(name)", undo: undo)]
    }

    mutating func eject() -> [ConsoleEffect] {
        guard let device = targetDevice else { return [] }
        return [send(.eject(device: device.name), "eject \(device.name), waiting for its guest")]
    }

    /// The selected keyboard, or the only one of the selected device.
    var targetKeyboard: (DeviceSnapshot, InterfaceSnapshot)? {
        guard let device = targetDevice else { return nil }
        let keyboards = device.interfaces.filter { $0.kind == "keyboard" }
        if case .interface(_, let name) = target, let selected = keyboards.first(where: { $0.name == name }) {
            return (device, selected)
        }
        return keyboards.count == 1 ? keyboards.first.map { (device, $0) } : nil
    }

    /// Types with a keyboard; what is typed is the guest's business and is not shown again.
    mutating func type(_ text: String, with prompt: TypePrompt) -> [ConsoleEffect] {
        let command = Command.type(device: prompt.device, interface: prompt.keyboard, text: text, layout: nil)
        let count = Format.plural(text.count, "character")
        return [send(command, "type \(count) on \(prompt.device)/\(prompt.keyboard)")]
    }

    mutating func undo() -> [ConsoleEffect] {
        guard let last = undos.popLast() else { return [] }
        return last.commands.map { command in
            if case .plug = command { return send(command, last.label, isPlug: true) }
            return send(command, last.label)
        }
    }

    /// Opens the chooser: at the VM when a device that can be plugged is selected, else at the device.
    mutating func choosePlug() {
        var via = Wire.usbredir
        if case .vm(let id) = place, let vm = live.vm(id) { via = wire(into: vm) }
        if let device = targetDevice, plugReason(device) == nil {
            mode = .plug(PlugChooser(stage: .vm(device: device.name), cursor: preferredVM(for: device), via: via))
        } else {
            mode = .plug(PlugChooser(stage: .device, via: via))
        }
    }

    /// The wire offered first: a guest of another host has no other than USB/IP.
    func wire(into vm: VMSnapshot) -> Wire { vm.source == "watch" ? .usbip : .usbredir }

    /// The selected VM, else the one the device was in last, else the first that can take it.
    func preferredVM(for device: DeviceSnapshot) -> String? {
        if case .vm(let id) = place { return id }
        if let last = device.attachment.flatMap({ live.snapshot?.vm($0.vm) }) { return last.id }
        return live.orderedVMs.first { plugReason(device, into: $0) == nil }?.id
    }

    /// The device is what the operator looks at next: the selection goes with it into the VM.
    mutating func plug(_ device: String, into vm: String, via: Wire) -> [ConsoleEffect] {
        select(.device(device))
        if focus == .vms { setFocus(.devices) }
        // Not undone by U: one key must not pull a device.
        return [send(.plug(device: device, vm: vm, via: via), "plug \(device) into \(vm)", isPlug: true)]
    }
}

import ControlProtocol

/// Why something cannot be done now: said before a key is pressed, and again when it is.
extension ConsoleModel {
    /// The reason, or nil when the action is open.
    public func disabledReason(_ action: Action) -> String? {
        switch action {
        case .toggle: changeReason ?? toggleReason
        case .unplug: changeReason ?? unplugReason
        case .eject: changeReason ?? ejectReason
        case .type: changeReason ?? typeReason
        case .plug: changeReason ?? (live.devices.isEmpty ? "no devices: declare one in the configuration" : nil)
        case .undo: changeReason ?? (undos.isEmpty ? "nothing to undo" : nil)
        case .nextFault: shown.faults.isEmpty ? "no faults" : nil
        case .pin: pinned == nil && trafficSelector == nil ? "select a device or interface to pin" : nil
        case .theme: themes.isEmpty ? "no theme files found" : nil
        case .drill: drillReason
        case .board: targetDevice?.emulator == nil ? "select a device of emulated firmware" : nil
        default: nil
        }
    }

    /// Why nothing at all can be changed.
    var changeReason: String? {
        if readOnly { return "read-only console" }
        switch connection {
        case .connected: return nil
        case .connecting: return "connecting to the engine"
        case .lost: return "no connection to the engine"
        }
    }

    private var toggleReason: String? {
        guard let device = targetDevice else { return "select a device or an interface" }
        if device.firmware == .emulated { return "the firmware of \(device.name) decides about its interfaces" }
        if case .interface(_, let name) = target {
            guard let interface = device.interface(name) else { return "the interface is gone" }
            return interface.gate == .changing ? "still being switched" : nil
        }
        if device.interfaces.isEmpty { return "\(device.name) has no interfaces" }
        return device.interfaces.contains { $0.gate == .changing } ? "still being switched" : nil
    }

    private var unplugReason: String? {
        guard let device = targetDevice else { return "select a device" }
        return switch device.state {
        case .unplugged: "\(device.name) is not plugged"
        case .imported, .plugging, .plugged, .unplugging, .waiting, .rejected: nil
        }
    }

    private var ejectReason: String? {
        guard let device = targetDevice else { return "select a device" }
        switch device.state {
        case .plugged, .imported: break
        case .unplugging: return "\(device.name) is already on its way out"
        case .unplugged, .plugging, .waiting, .rejected: return "\(device.name) is not in a guest"
        }
        if let vm = device.attachment.flatMap({ live.snapshot?.vm($0.vm) }), vm.state != .running {
            return "\(vm.name) is \(vm.stateWord.word): its guest cannot let go"
        }
        return nil
    }

    private var typeReason: String? {
        guard let device = targetDevice else { return "select a device with a keyboard" }
        guard device.interfaces.contains(where: { $0.kind == "keyboard" }) else {
            return "\(device.name) has no keyboard interface"
        }
        guard device.isInVM else { return "\(device.name) is not in a guest" }
        guard let (_, keyboard) = targetKeyboard else { return "select one of the keyboards of \(device.name)" }
        return keyboard.gate == .on ? nil : "\(keyboard.name) is switched \(keyboard.gate.rawValue)"
    }

    private var drillReason: String? {
        switch focus {
        case .traffic: transferRows().isEmpty ? "no transfers yet" : nil
        case .events: eventRows().isEmpty ? "nothing happened yet" : nil
        case .vms, .devices: nil
        }
    }

    /// Why a device cannot be plugged anywhere now.
    func plugReason(_ device: DeviceSnapshot) -> String? {
        if let trouble = device.trouble { return trouble }
        switch device.state {
        case .unplugged, .rejected: return nil
        case .imported: return "imported by \(device.export?.importer?.peer ?? device.by); u takes it back"
        case .plugging: return "on its way into \(device.attachment?.vm ?? "a VM")"
        case .plugged: return "plugged into \(device.attachment?.vm ?? "a VM")"
        case .unplugging: return "on its way out of \(device.attachment?.vm ?? "a VM")"
        case .waiting: return "waits for \(device.attachment?.vm ?? "its VM")"
        }
    }

    /// Why a VM cannot take this device now, with what would help.
    func plugReason(_ device: DeviceSnapshot, into vm: VMSnapshot, via: Wire = .usbredir) -> String? {
        switch vm.state {
        case .running, .paused: break
        case .starting: return "starting, not ready yet"
        case .shutdown: return "guest is shut down"
        case .unreachable: return vm.reason.map { "unreachable: \($0)" } ?? "unreachable"
        case .lost: return vm.reason.map { "lost: \($0)" } ?? "lost"
        }
        if via == .usbip { return usbipReason(device, into: vm) }
        // A guest of another host.
        if vm.source == "watch" { return "not a VM of this host; Tab: by USB/IP" }
        guard !vm.controllers.isEmpty else { return "no USB controller; add one: -device qemu-xhci" }
        let free = vm.controllers.filter { $0.freePorts > 0 }
        guard !free.isEmpty else {
            let ports = vm.controllers.reduce(0) { $0 &+ $1.ports }
            return "no free USB port (\(ports) of \(ports) in use)"
        }
        if let speed = device.attachment?.speed,
            !free.contains(where: { $0.speeds.isEmpty || $0.speeds.contains(speed) })
        {
            let offered = Set(free.flatMap(\.speeds)).sorted().joined(separator: ", ")
            return "device is \(speed) speed; free ports take \(offered)"
        }
        return nil
    }

    /// Why a guest cannot be told to attach a device, with the line to type in it instead.
    private func usbipReason(_ device: DeviceSnapshot, into vm: VMSnapshot) -> String? {
        guard let export = device.export else {
            return live.snapshot?.engine.exporter == nil
                ? "no USB/IP exporter; configure [usbip] listen" : "not exported; its configuration says so"
        }
        if let trouble = export.listeners.compactMap(\.trouble).first, !device.isExported { return trouble }
        if vm.state == .paused { return "paused: its guest cannot attach anything" }
        guard vm.attachWay == nil else { return nil }
        return export.attachLine.isEmpty
            ? "no watcher, no agent, and no TCP listener" : "type in the guest: \(export.attachLine)"
    }

    /// What a VM has to offer a device on the other wire.
    func offerByUSBIP(_ vm: VMSnapshot) -> String {
        switch vm.attachWay {
        case .watch: "its 2virt-guest watch attaches it"
        case .agent: "its guest agent attaches it"
        case nil: ""
        }
    }

    /// What a VM has to offer a device.
    func offer(_ vm: VMSnapshot) -> String {
        if vm.source == "watch" { return offerByUSBIP(vm) }
        let free = vm.controllers.filter { $0.freePorts > 0 }.map { controller in
            let best = ["super", "high", "full", "low"].first(where: controller.speeds.contains)
            return "\(controller.id) \(controller.freePorts)/\(controller.ports) free"
                + (best.map { ", to \($0) speed" } ?? "")
        }
        let paused = vm.state == .paused ? "  (paused: seen when it goes on)" : ""
        return free.joined(separator: ", ") + paused
    }
}

import ControlProtocol
import USBDevice

extension Engine {
    /// Switches one interface; answered when the guest has the device again, with how long its siblings were away.
    func setInterface(_ name: String, _ interface: String, to wanted: GateState, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        guard let gate = record.gates[interface] else {
            let known = record.interfaces.map(\.name).joined(separator: ", ")
            return .failed(
                known.isEmpty
                    ? "\(name) has no interfaces to switch" : "\(name) has no interface '\(interface)'; known: \(known)")
        }
        guard wanted != .changing else { return .failed("an interface can be on, off or muted") }
        if let trouble = gate.trouble { return .failed("\(name)/\(interface) cannot be switched: \(trouble)") }
        guard let host = record.host else { return .failed("\(name): \(record.trouble ?? "no device")") }
        if let operation = record.operation { return .failed("\(name) is \(operation); try again when that is done") }
        let word = Self.word(wanted)
        guard gate.state != wanted else { return .done("\(name)/\(interface) is \(word) already") }
        if wanted == .off, visibleInterfaces(record) == [interface] {
            return .failed("\(interface) is the last interface of \(name); unplug the device instead")
        }
        let vm = record.attachment?.vm
        let subject = Subject(vm: vm, device: name, interface: interface)
        let reenumerates = record.state == .plugged && record.guest != .absent && (gate.state == .off || wanted == .off)
        let began = now
        devices[index].operation = "having \(interface) switched \(word) by \(actor)"
        if reenumerates {
            devices[index].gates[interface]?.state = .changing
            devices[index].guest = .attached
            devices[index].configuredAt = nil
        }
        changed()
        defer { endOperation(name) }
        await host.setGate(Gate(wanted), of: interface)
        var note: String?
        if reenumerates, let vm {
            if isPaused(vm) {
                note = "the guest is paused and sees it when it continues"
            } else if await wait(for: name, seconds: Self.settleSeconds, until: {
                $0.guest == .configured || $0.state != .plugged
            }) {
                settle(name) { $0.lastBlink = self.now - began }
            } else {
                note = "the guest has not configured the device again within \(Int(Self.settleSeconds)) s"
            }
        }
        settle(name) { $0.gates[interface] = .init(state: wanted, since: self.now, by: actor) }
        saveState()
        let blink = reenumerates && note == nil ? "; siblings were away \(Self.milliseconds(now - began))" : ""
        let text = "switched \(word)\(blink)" + (note.map { "; \($0)" } ?? "")
        publish(
            note == nil ? .info : .warning, subject, actor: actor, kind: "interface-\(word)", text,
            duration: reenumerates ? now - began : nil)
        return .done("\(name)/\(interface) \(text)")
    }

    /// What the guest will notice when the interface is toggled now.
    func effect(of interface: InterfaceConfiguration, in record: DeviceRecord) -> String {
        guard let gate = record.gates[interface.name] else { return "" }
        if let trouble = gate.trouble { return "cannot be switched: \(trouble)" }
        let visible = visibleInterfaces(record)
        if gate.state != .off, visible == [interface.name] {
            return "cannot be switched off: it is the last interface; unplug the device instead (u)"
        }
        guard record.state == .plugged else {
            return gate.state == .off ? "on: offered at the next plug" : "off: not offered at the next plug"
        }
        let siblings = visible.filter { $0 != interface.name }
        let gap = record.lastBlink.map { "about \(Self.milliseconds($0))" } ?? "about 0.7 s"
        let rest =
            siblings.isEmpty ? "" : "; the device re-enumerates, \(siblings.joined(separator: ", ")) blink \(gap)"
        switch gate.state {
        case .off: return "on: the guest gets \(Self.guestName(interface.kind))\(rest)"
        case .on, .muted: return "off: the guest loses \(Self.guestName(interface.kind))\(rest)"
        case .changing: return "being switched"
        }
    }

    func visibleInterfaces(_ record: DeviceRecord) -> [String] {
        record.interfaces.map(\.name).filter {
            guard let gate = record.gates[$0] else { return false }
            return gate.trouble == nil && gate.state != .off
        }
    }

    static func word(_ gate: GateState) -> String { gate.rawValue }

    static func milliseconds(_ seconds: Double) -> String {
        seconds < 10 ? "\(Int((seconds * 1000).rounded())) ms" : "\(Int(seconds.rounded())) s"
    }

    /// What a Linux guest calls it.
    private static func guestName(_ kind: InterfaceKind) -> String {
        switch kind {
        case .serial: "a /dev/ttyACM port"
        case .webService: "the web service (2virt-guest proxy)"
        case .storage: "a disk"
        case .printer: "a printer"
        case .keyboard: "a keyboard"
        case .pointToPoint, .pointToMultipoint: "a network interface"
        default: "the \(kind.title) service"
        }
    }
}

extension Gate {
    init(_ state: GateState) {
        self =
            switch state {
            case .off: .hidden
            case .muted: .muted
            case .on, .changing: .on
            }
    }
}

import ControlProtocol

extension Engine {
    /// What the guest will notice when the interface is toggled now: on goes off, off and muted go on.
    func effect(of interface: InterfaceConfiguration, in record: DeviceRecord) -> String {
        guard let gate = record.gates[interface.name] else { return "" }
        if let trouble = record.trouble { return "cannot be switched: \(trouble)" }
        if let operation = record.operation { return "not now: \(record.name) is \(operation)" }
        let visible = visibleInterfaces(record)
        let verb: String
        switch gate.state {
        case .changing: return "being switched"
        case .on: verb = "off"
        case .off, .muted: verb = "on"
        }
        if verb == "off", visible == [interface.name] {
            return "cannot be switched off: it is the last interface; unplug the device instead (u)"
        }
        let isThere = verb == "on"
        switch record.state {
        case .unplugged, .rejected, .unplugging:
            return isThere ? "on: offered at the next plug" : "off: not offered at the next plug"
        case .plugging, .waiting:
            let vm = record.attachment?.vm ?? "its VM"
            return isThere
                ? "on: \(vm) gets it when the device is plugged again"
                : "off: \(vm) does not get it when the device is plugged again"
        case .plugged, .imported: break
        }
        return "\(verb): " + plugged(interface, isThere: isThere, wasMuted: gate.state == .muted, record, visible)
    }

    private func plugged(
        _ interface: InterfaceConfiguration, isThere: Bool, wasMuted: Bool, _ record: DeviceRecord, _ visible: [String]
    ) -> String {
        let thing = Self.guestName(interface.kind)
        if wasMuted {
            return isPaused(record.vmID)
                ? "\(thing) answers again when the guest continues; nothing else blinks"
                : "\(thing) answers the guest again; nothing else blinks"
        }
        let what = isThere ? "gets \(thing)" : "loses \(thing)"
        switch record.guest {
        case .absent:
            return isThere
                ? "the guest gets it when it takes the device" : "the guest does not get it when it takes the device"
        case .attached, .enumerating, .deconfigured:
            return "the device re-enumerates; the guest has not configured it, so it loses and gets nothing now"
        case .configured: break
        }
        if record.state == .imported {
            return "the guest \(what); the device leaves \(record.importer?.peer ?? "its client"), "
                + "which must attach it again"
        }
        let siblings = visible.filter { $0 != interface.name }.joined(separator: ", ")
        if isPaused(record.vmID) {
            return "when it continues, the guest \(what)"
                + (siblings.isEmpty ? "" : "; the device re-enumerates then, \(siblings) blink")
        }
        let gap = record.lastBlink.map { "about \(Self.milliseconds($0))" } ?? "about 0.7 s"
        return "the guest \(what)" + (siblings.isEmpty ? "" : "; the device re-enumerates, \(siblings) blink \(gap)")
    }

    /// What a Linux guest calls it.
    private static func guestName(_ kind: InterfaceKind) -> String {
        switch kind {
        case .serial: "a /dev/ttyACM port"
        case .webService: "the web service (2virt-guest proxy)"
        case .storage: "a disk"
        case .printer, .ippPrinter: "a printer"
        case .keyboard: "a keyboard"
        case .microphone: "a microphone"
        case .pointToPoint, .pointToMultipoint: "a network interface"
        default: "the \(kind.title) service"
        }
    }
}

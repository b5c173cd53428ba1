import ControlProtocol
import USBDevice

extension Engine {
    /// Switches one interface; answered when the guest has the device again, with how long its siblings were away.
    ///
    /// - Parameter reason: why, when it is not simply somebody's wish.
    func setInterface(
        _ name: String, _ interface: String, to wanted: GateState, actor: String, because reason: String? = nil
    ) async -> Outcome {
        guard let found = index(name) else { return .failed(unknownDevice(name)) }
        let before = devices[found]
        guard let gate = before.gates[interface] else {
            let known = before.interfaces.map(\.name).joined(separator: ", ")
            return .failed(
                before.isEmulated
                    ? "\(name) is emulated firmware, which alone decides about its interfaces"
                    : known.isEmpty
                        ? "\(name) has no interfaces to switch"
                        : "\(name) has no interface '\(interface)'; known: \(known)"
            )
        }
        guard wanted != .changing else { return .failed("an interface can be on, off or muted") }
        guard let host = before.host else { return .failed("\(name): \(before.trouble ?? "no device")") }
        if let busy = busy(before) { return .failed(busy) }
        guard gate.state != wanted else { return .done("\(name)/\(interface) is \(wanted.rawValue) already") }
        if wanted == .off, visibleInterfaces(before) == [interface] {
            return .failed("\(interface) is the last interface of \(name); unplug the device instead")
        }
        devices[found].operation = "having \(interface) switched \(wanted.rawValue) by \(actor)"
        changed()
        defer { endOperation(name) }
        let isVisibleChange = gate.state == .off || wanted == .off
        if isVisibleChange, !isPaused(before.vmID) { await host.whenQuiet() }
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        let isInVM = (record.state == .plugged || record.state == .imported) && record.guest != .absent
        let reenumerates = isInVM && isVisibleChange
        let began = now
        if reenumerates {
            devices[index].gates[interface]?.state = .changing
            devices[index].guest = .absent
            changed()
        }
        if reenumerates, record.isOverUSBIP { await detachForChange(name) }
        await host.setGate(Gate(wanted), of: interface)
        let note: String? =
            if !reenumerates {
                nil
            } else if record.isOverUSBIP {
                await attachAgain(record)
            } else {
                await reenumeration(of: record)
            }
        settle(name) { $0.gates[interface] = .init(state: wanted, since: self.now, by: actor) }
        await saveState()
        var blink = ""
        if reenumerates, note == nil {
            settle(name) { $0.lastBlink = self.now - began }
            blink = "; siblings were away \(Self.milliseconds(now - began))"
        }
        let text =
            "switched \(wanted.rawValue)" + (reason.map { " (\($0))" } ?? "") + blink + (note.map { "; \($0)" } ?? "")
        publish(
            note == nil ? .info : .warning,
            Subject(vm: record.attachment?.vm, device: name, interface: interface), actor: actor,
            kind: "interface-\(wanted.rawValue)", text, duration: reenumerates ? now - began : nil)
        return .done("\(name)/\(interface) \(text)")
    }

    /// Waits until the guest has the device as it had it before.
    ///
    /// - Returns: what is different; nil: nothing.
    private func reenumeration(of before: DeviceRecord) async -> String? {
        let vm = before.attachment?.vm ?? "the VM"
        guard !isPaused(before.vmID) else { return "the guest is paused and sees it when it continues" }
        let wasConfigured = before.guest == .configured
        _ = await wait(for: before.name, seconds: settings.settleSeconds) {
            $0.guest == .configured || !wasConfigured && $0.guest != .absent || $0.state != .plugged
                || $0.wireEnd != nil || $0.generation != before.generation
        }
        guard let index = index(before.name) else { return unknownDevice(before.name) }
        let record = devices[index]
        if record.state == .rejected {
            return "\(vm) rejects the device without it: \(record.reason ?? "no reason given")"
        }
        if record.generation != before.generation || record.state != .plugged { return "\(vm) went away meanwhile" }
        if let end = record.wireEnd { return "\(vm) let go of the device meanwhile: \(end)" }
        if record.guest == .configured { return nil }
        if !wasConfigured, record.guest != .absent {
            return "the guest had not configured the device before, nor has it now"
        }
        if isPaused(before.vmID) { return "the guest is paused and sees it when it continues" }
        return "the guest has not configured the device again within \(Self.seconds(settings.settleSeconds))"
    }

    func visibleInterfaces(_ record: DeviceRecord) -> [String] {
        record.interfaces.map(\.name).filter {
            guard let gate = record.gates[$0] else { return false }
            return gate.state != .off
        }
    }

    static func milliseconds(_ seconds: Double) -> String {
        seconds < 10 ? "\(Int((seconds * 1000).rounded())) ms" : "\(Int(seconds.rounded())) s"
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

import ControlProtocol
import Hypervisor

extension Engine {
    /// The hypervisor's new picture of all VMs.
    func take(_ list: VMList) {
        guard !isShuttingDown else { return }
        let before = Dictionary(vms.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        vms = list.vms
        noteTroubles(list.troubles)
        for vm in list.vms {
            let old = before[vm.id]
            follow(vm)
            if old?.runState != vm.runState {
                // One that is met running has been so since it started, as far as anyone knows.
                let isMet = old == nil || old?.runState == .starting
                vmSince[vm.id] = (isMet ? vm.startedAt?.timeIntervalSince1970 : nil) ?? now
                note(vm, after: old)
            }
            if let event = Self.notable(vm.lastEvent), old != nil, old?.lastEvent != vm.lastEvent {
                publishOfVM(vm, .warning, kind: "vm-event", event)
            }
            if Self.isReset(vm.lastEvent), old != nil, old?.lastEvent != vm.lastEvent { loseImports(of: vm.id) }
            // A restart between two looks shows only in the process.
            let isAnother = old.map { $0.pid != nil && vm.pid != nil && $0.pid != vm.pid } ?? false
            if Self.isGone(vm.runState) {
                if old.map({ !Self.isGone($0.runState) }) ?? true { loseVM(vm.id, reason: vm.runState.description) }
            } else if isAnother {
                loseVM(vm.id, reason: "its QEMU was replaced")
            }
            if !vm.isControllable {
                appearances[vm.id] = nil
            } else if appearances[vm.id] == nil || isAnother {
                lastAppearance += 1
                appearances[vm.id] = lastAppearance
            }
        }
        let present = Set(list.vms.map(\.id))
        for old in before.values where !present.contains(old.id) {
            appearances[old.id] = nil
            vmNoise[old.id] = nil
            vmSince[old.id] = nil
            loseVM(old.id, reason: "the VM is gone")
        }
        comeBack()
        changed()
    }

    /// Two VMs of one name are told apart by a suffix, which moves when one of them goes.
    private func follow(_ vm: LiveVM) {
        for index in devices.indices where devices[index].vmID == vm.id {
            if devices[index].attachment?.vm != vm.name { devices[index].attachment?.vm = vm.name }
        }
    }

    private func note(_ vm: LiveVM, after old: LiveVM?) {
        switch vm.runState {
        case .running: publishOfVM(vm, .info, kind: "vm-running", old == nil ? "found, running" : "running")
        case .paused: publishOfVM(vm, .info, kind: "vm-paused", vm.runState.description)
        case .shutdown: publishOfVM(vm, .info, kind: "vm-shutdown", vm.runState.description)
        case .lost:
            let kept = devices.count { $0.vmID == vm.id && ($0.state == .plugged || $0.state == .waiting) }
            let text = kept == 0 ? "" : "; \(kept) device\(kept == 1 ? "" : "s") kept, plugged again when it returns"
            publishOfVM(vm, kept == 0 ? .warning : .fault, kind: "vm-lost", vm.runState.description + text)
        case .unreachable: publishOfVM(vm, .warning, kind: "vm-unreachable", vm.runState.description)
        case .starting: break
        }
    }

    /// What is worth telling of a VM that runs on; the rest is its daily life or told by its run state.
    static func notable(_ event: String?) -> String? {
        guard let event else { return nil }
        return event.hasPrefix("guest panicked") || event.hasPrefix("watchdog") || event.hasPrefix("reset")
            ? event : nil
    }

    private func publishOfVM(_ vm: LiveVM, _ severity: Severity, kind: String, _ text: String) {
        guard let suppressed = vmNoise[vm.id, default: EventBudget()].take(at: now) else { return }
        publish(
            severity, Subject(vm: vm.name), actor: "hypervisor", kind: kind,
            text + (suppressed == 0 ? "" : " (\(suppressed) changes before were too fast to be told)"))
    }

    private func noteTroubles(_ troubles: [SourceTrouble]) {
        for trouble in troubles where !sourceTroubles.contains(trouble) {
            publish(.warning, Subject(), actor: "engine", kind: "source", "\(trouble.source): \(trouble.message)")
        }
        sourceTroubles = troubles
        sourceTroubleSince = Dictionary(
            troubles.map { ($0.source.description, sourceTroubleSince[$0.source.description] ?? now) },
            uniquingKeysWith: { first, _ in first })
    }

    private static func isGone(_ state: VMRunState) -> Bool {
        if case .lost = state { return true }
        return false
    }

    /// A VM went away under its devices: they are kept and wait for it. A command that works on one learns it by the
    /// device's new generation.
    func loseVM(_ vm: String, reason: String) {
        var closing: [(host: DeviceHost, generation: Int)] = []
        for index in devices.indices where devices[index].vmID == vm && devices[index].hasWire {
            let record = devices[index]
            if record.isOverUSBIP { dropImport(of: record, reason: reason) }
            if let host = record.host { closing.append((host, record.generation)) }
            devices[index].generation += 1
            devices[index].port = nil
            devices[index].wireEnd = reason
            if record.state == .plugged {
                devices[index].wireEnd = nil
                devices[index].enter(
                    .waiting, by: "hypervisor", at: now, reason: "\(record.attachment?.vm ?? vm) is gone: \(reason)")
            }
        }
        guard !closing.isEmpty else { return }
        changed()
        Task { [closing] in
            for wire in closing { await wire.host.closeWire(of: wire.generation) }
            await saveState()
        }
    }

    /// Plugs again what waits for a VM that is there, once for each appearance of it.
    func comeBack() {
        for record in devices where record.state == .waiting && record.operation == nil {
            if record.isOverUSBIP {
                comeBackByUSBIP(record)
                continue
            }
            guard let vm = vms.first(where: { $0.id == record.vmID }) ?? awaited(record),
                let appearance = appearances[vm.id], appearance != record.triedAppearance,
                let index = index(record.name), let via = record.attachment?.via
            else { continue }
            devices[index].triedAppearance = appearance
            devices[index].operation = "being plugged again into \(vm.name)"
            Task { _ = await attach(record.name, to: vm, via: via, actor: "engine") }
        }
    }

    /// The VM that a device waits for, known by name only.
    private func awaited(_ record: DeviceRecord) -> LiveVM? {
        vms.first { $0.name == record.attachment?.vm }
    }
}

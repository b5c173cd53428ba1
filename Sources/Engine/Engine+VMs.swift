import ControlProtocol
import Hypervisor

extension Engine {
    /// The hypervisor's new picture of all VMs.
    func take(_ list: VMList) {
        let before = vms
        vms = list.vms
        noteTroubles(list.troubles)
        for vm in list.vms {
            let old = before.first { $0.id == vm.id }
            if old?.runState != vm.runState { note(vm, after: old?.runState) }
            if vm.isControllable { comeBack(to: vm.name) }
            if Self.isGone(vm.runState), !(old.map { Self.isGone($0.runState) } ?? false) {
                Task { await self.loseVM(vm.name, reason: vm.runState.description) }
            }
        }
        for old in before where !list.vms.contains(where: { $0.id == old.id }) {
            Task { await self.loseVM(old.name, reason: "the VM is gone") }
        }
        changed()
    }

    private func note(_ vm: LiveVM, after old: VMRunState?) {
        let subject = Subject(vm: vm.name)
        switch vm.runState {
        case .running:
            publish(
                .info, subject, actor: "hypervisor", kind: "vm-running", old == nil ? "found, running" : "running")
        case .paused: publish(.info, subject, actor: "hypervisor", kind: "vm-paused", vm.runState.description)
        case .shutdown: publish(.info, subject, actor: "hypervisor", kind: "vm-shutdown", vm.runState.description)
        case .lost:
            let kept = devices.count { $0.attachment?.vm == vm.name }
            let text = kept == 0 ? "" : "; \(kept) device\(kept == 1 ? "" : "s") kept, plugged again when it returns"
            publish(
                kept == 0 ? .warning : .fault, subject, actor: "hypervisor", kind: "vm-lost",
                vm.runState.description + text)
        case .unreachable:
            publish(.warning, subject, actor: "hypervisor", kind: "vm-unreachable", vm.runState.description)
        case .starting: break
        }
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

    /// A VM went away under its devices: they are kept and wait for it.
    func loseVM(_ vm: String, reason: String) async {
        for record in devices
        where record.attachment?.vm == vm && (record.state == .plugged || record.state == .unplugging) {
            let wasLeaving = record.state == .unplugging
            settle(record.name) {
                $0.port = nil
                $0.generation += 1
                if wasLeaving {
                    $0.enter(.unplugged, by: "hypervisor", at: self.now, reason: reason)
                } else {
                    $0.enter(.waiting, by: "hypervisor", at: self.now, reason: "\(vm) is gone: \(reason)")
                }
            }
            await record.host?.closeWire()
        }
        saveState()
    }

    /// A VM is there: what waits for it is plugged again.
    private func comeBack(to vm: String) {
        for record in devices
        where record.attachment?.vm == vm && record.state == .waiting && record.operation == nil {
            guard let index = index(record.name) else { continue }
            devices[index].operation = "being plugged again into \(vm)"
            Task { await self.plugAgain(record.name, vm) }
        }
    }

    private func plugAgain(_ name: String, _ vm: String) async {
        guard let index = index(name), let attachment = devices[index].attachment else { return endOperation(name) }
        let outcome = await attach(name, to: attachment.vm, via: attachment.via, actor: "engine")
        guard case .failed(let reason) = outcome, let index = self.index(name) else { return }
        // Kept in view as waiting: an operator decides, and a VM that comes back once more is tried once more.
        devices[index].attachment = attachment
        devices[index].enter(.waiting, by: "engine", at: now, reason: reason)
        saveState()
        changed()
    }
}

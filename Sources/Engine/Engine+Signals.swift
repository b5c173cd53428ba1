import ControlProtocol
import Foundation

extension Engine {
    /// How long a device may stay in configuration 0 before that is the guest's farewell: programs that choose another
    /// configuration pass through 0.
    static let farewellSeconds = 0.5

    /// One thing that a device, or the wire it is on, has to say.
    func take(_ signal: DeviceSignal) {
        guard let index = index(signal.device) else { return }
        let record = devices[index]
        let vm = record.attachment?.vm
        let subject = Subject(vm: vm, device: record.name)
        switch signal.kind {
        case .connected:
            devices[index].connectedAt = now
            devices[index].guest = .attached
            changed()
        case .disconnected:
            if devices[index].guest != .absent { devices[index].guest = .absent }
            changed()
        case .enumerating:
            if record.guest != .configured { devices[index].guest = .enumerating }
            changed()
        case .configured(0):
            guard record.guest == .configured else { return }
            devices[index].guest = .deconfigured
            changed()
            if record.state == .plugged { awaitFarewell(record.name, generation: record.generation) }
        case .configured:
            devices[index].guest = .configured
            devices[index].configuredAt = now
            if record.state == .plugged, record.reason != nil { devices[index].reason = nil }
            changed()
        case .rejected(let reason):
            devices[index].enter(.rejected, by: "hypervisor", at: now, reason: reason)
            publish(.fault, subject, actor: "hypervisor", kind: "rejected", "rejected by the VM: \(reason)")
            if record.operation == nil { Task { await self.removeRejected(record.name) } }
        case .linkClosed(let reason):
            linkClosed(record, reason)
        case .releaseRequested(let interface):
            release(record, interface: interface)
        case .trouble(let interface, let text):
            guard devices[index].report.interfaces[interface] != nil || record.gates[interface] != nil else { return }
            devices[index].backendTroubles[interface] = text
            let subject = Subject(vm: vm, device: record.name, interface: interface)
            if let text {
                publish(.fault, subject, actor: "engine", kind: "interface-trouble", text)
            } else {
                publish(.info, subject, actor: "engine", kind: "interface-recovered", "works again")
            }
        case .note(let interface, let text):
            publish(
                .info, Subject(vm: vm, device: record.name, interface: interface), actor: "guest", kind: "note", text)
        }
    }

    private func awaitFarewell(_ name: String, generation: Int) {
        Task {
            let returned = await wait(for: name, seconds: Self.farewellSeconds) {
                $0.guest != .deconfigured || $0.generation != generation
            }
            guard !returned, let index = index(name), devices[index].state == .plugged,
                devices[index].operation == nil
            else { return }
            _ = await unplug(name, actor: "guest", because: "removed by the guest (SET_CONFIGURATION 0)")
        }
    }

    private func removeRejected(_ name: String) async {
        if let failure = await removeFromVM(name) {
            publish(.warning, Subject(device: name), actor: "engine", kind: "unplug-failed", failure)
        }
    }

    /// `2virt-guest release`: the guest's own wish, carried out at once and not undone by us.
    private func release(_ record: DeviceRecord, interface: String?) {
        guard record.state == .plugged else { return }
        Task {
            if let interface, visibleInterfaces(record) != [interface] {
                let outcome = await setInterface(record.name, interface, to: .off, actor: "guest")
                if case .failed(let reason) = outcome {
                    publish(
                        .warning, Subject(vm: record.attachment?.vm, device: record.name, interface: interface),
                        actor: "guest", kind: "release-failed", "the guest asked to release it: \(reason)")
                } else {
                    publish(
                        .info, Subject(vm: record.attachment?.vm, device: record.name, interface: interface),
                        actor: "guest", kind: "guest-removed", "released by the guest")
                }
            } else {
                _ = await unplug(record.name, actor: "guest", because: "released by the guest")
            }
        }
    }

    /// The wire's end means that QEMU is gone, or that somebody else took the device out of it.
    private func linkClosed(_ record: DeviceRecord, _ reason: String) {
        guard record.operation == nil, record.state == .plugged, let vm = record.attachment?.vm else { return }
        Task {
            // QMP tells of a QEMU that died at the same moment; let it speak first.
            let explained = await wait(for: record.name, seconds: 1.5) {
                $0.state != .plugged || $0.generation != record.generation
            }
            guard !explained, let index = index(record.name), devices[index].operation == nil else { return }
            if vms.contains(where: { $0.name == vm && $0.isControllable }) {
                await devices[index].host?.closeWire()
                settle(record.name) {
                    $0.port = nil
                    $0.enter(.unplugged, by: "hypervisor", at: self.now, reason: reason)
                }
                saveState()
                publish(
                    .warning, Subject(vm: vm, device: record.name), actor: "hypervisor", kind: "unplugged",
                    "taken out on the hypervisor's side (\(reason))")
            } else {
                await loseVM(vm, reason: reason)
            }
        }
    }
}

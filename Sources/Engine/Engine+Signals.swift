import ControlProtocol
import Foundation

extension Engine {
    /// One thing that a device, or the wire it is on, has to say.
    func take(_ signal: DeviceSignal) {
        guard !isShuttingDown, let index = index(signal.device) else { return }
        let record = devices[index]
        if signal.kind.isOfWire {
            guard signal.generation == record.generation, record.hasWire else { return }
        }
        switch signal.kind {
        case .connected:
            devices[index].connectedAt = now
            devices[index].mediaInUse = []
            devices[index].guest = .attached
            changed()
        case .disconnected:
            devices[index].guest = .absent
            changed()
        case .enumerating:
            if record.guest != .configured { devices[index].guest = .enumerating }
            changed()
        case .configured(0):
            guard record.guest == .configured else { return }
            devices[index].guest = .deconfigured
            changed()
            if record.state == .plugged || record.state == .imported, record.operation == nil {
                awaitFarewell(record.name, generation: record.generation)
            }
        case .configured:
            guard record.guest != .configured else { return }
            devices[index].guest = .configured
            if record.state == .plugged { devices[index].reason = nil }
            changed()
        case .rejected(let reason):
            guard record.state != .unplugging else { return }
            devices[index].enter(.rejected, by: "hypervisor", at: now, reason: reason)
            publish(
                .fault, subject(record), actor: "hypervisor", kind: "rejected", "rejected by the VM: \(reason)")
            if record.operation == nil { removeRejected(record.name) }
        case .linkClosed(let reason):
            devices[index].wireEnd = reason
            devices[index].guest = .absent
            changed()
            if record.state == .plugged, record.operation == nil {
                awaitExplanation(record.name, generation: record.generation)
            }
        case .imported(let importer): imported(index, by: importer)
        case .released(let reason): released(index, reason: reason)
        case .releaseRequested(let interface):
            guard record.state == .plugged || record.state == .imported else { return }
            Task { await release(record.name, interface: interface, because: "released by the guest") }
        case .ejected(let interface):
            guard record.state == .plugged || record.state == .imported else { return }
            Task { await release(record.name, interface: interface, because: "ejected by the guest") }
        case .mediumInUse(let interface, let isInUse):
            guard record.gates[interface] != nil else { return }
            if isInUse {
                devices[index].mediaInUse.insert(interface)
            } else {
                devices[index].mediaInUse.remove(interface)
            }
            changed()
        case .trouble(let interface, let text): note(trouble: text, with: interface, of: index)
        case .note(let interface, let text):
            guard record.gates[interface] != nil || record.isEmulated else { return }
            publishOfDevice(index, .info, interface, actor: "device", kind: "note", text)
        }
    }

    private func subject(_ record: DeviceRecord, _ interface: String? = nil) -> Subject {
        Subject(vm: record.attachment?.vm, device: record.name, interface: interface)
    }

    private func note(trouble text: String?, with interface: String, of index: Int) {
        guard devices[index].gates[interface] != nil || devices[index].isEmulated,
            devices[index].backendTroubles[interface]?.text != text
        else { return }
        let since = devices[index].backendTroubles[interface]?.since ?? now
        devices[index].backendTroubles[interface] = text.map { .init(text: $0, since: since) }
        changed()
        if let text {
            publishOfDevice(index, .fault, interface, actor: "device", kind: "interface-trouble", text)
        } else {
            publishOfDevice(index, .info, interface, actor: "device", kind: "interface-recovered", "works again")
        }
    }

    /// An event that a guest can cause as often as it likes: beyond the device's budget it is only counted.
    private func publishOfDevice(
        _ index: Int, _ severity: Severity, _ interface: String?, actor: String, kind: String, _ text: String
    ) {
        guard let suppressed = devices[index].noise.take(at: now) else { return }
        publish(
            severity, subject(devices[index], interface), actor: actor, kind: kind,
            text + (suppressed == 0 ? "" : " (\(suppressed) events of this device before it were too many to be told)"))
    }

    // MARK: Conclusions

    /// Configuration 0 for long enough is the guest's farewell.
    func awaitFarewell(_ name: String, generation: Int) {
        Task {
            let returned = await wait(for: name, seconds: settings.farewellSeconds) {
                $0.guest != .deconfigured || $0.generation != generation || $0.operation != nil
            }
            // A command that came between looks again when it ends.
            guard !returned, let index = index(name), devices[index].operation == nil,
                devices[index].state == .plugged || devices[index].state == .imported
            else { return }
            _ = await unplug(name, actor: "guest", because: "removed by the guest (SET_CONFIGURATION 0)")
        }
    }

    /// Takes what the VM has refused out of its port; it is shown as rejected until an operator decides.
    func removeRejected(_ name: String) {
        settle(name) { $0.operation = "being taken out, since the VM rejected it" }
        Task {
            await saveState()
            if let failure = await removeFromVM(name) {
                settle(name) { $0.port = nil }
                publish(.warning, Subject(device: name), actor: "engine", kind: "unplug-failed", failure)
            }
            endOperation(name)
        }
    }

    /// `2virt-guest release` or an ejected disk: the guest's own wish, carried out at once and not undone by us.
    private func release(_ name: String, interface: String?, because reason: String) async {
        guard let index = index(name) else { return }
        let record = devices[index]
        let outcome: Outcome
        if let interface, visibleInterfaces(record) != [interface] {
            outcome = await setInterface(name, interface, to: .off, actor: "guest", because: reason)
        } else {
            outcome = await unplug(name, actor: "guest", because: reason)
        }
        guard case .failed(let problem) = outcome, let index = self.index(name) else { return }
        publishOfDevice(
            index, .warning, interface.flatMap { record.gates[$0] == nil ? nil : $0 }, actor: "guest",
            kind: "release-failed", "\(reason), but still there: \(problem)")
    }

    /// The wire's end means that QEMU is gone, or that somebody else took the device out of it, or that it spoke nonsense.
    func awaitExplanation(_ name: String, generation: Int) {
        Task {
            // QMP tells of a QEMU that died at the same moment; let it speak first.
            let explained = await wait(for: name, seconds: settings.lossSeconds) {
                $0.state != .plugged || $0.generation != generation || $0.operation != nil
            }
            // A command that came between looks again when it ends.
            guard !explained, let index = index(name), devices[index].operation == nil else { return }
            if devices[index].isOverUSBIP {
                // It may have attached the device again meanwhile.
                guard devices[index].importer == nil, devices[index].wireEnd != nil else { return }
                await importEnded(devices[index])
            } else {
                await takeOut(devices[index])
            }
        }
    }

    private func takeOut(_ record: DeviceRecord) async {
        let (name, reason) = (record.name, record.wireEnd ?? "the wire ended")
        guard let vm = vms.first(where: { $0.id == record.vmID }), vm.isControllable else {
            if let id = record.vmID { loseVM(id, reason: reason) }
            return
        }
        settle(name) { $0.operation = "being taken out, since its wire ended" }
        defer { endOperation(name) }
        let failure = await removeFromVM(name)
        guard let index = index(name), devices[index].state == .plugged, devices[index].generation == record.generation
        else { return }
        settle(name) {
            $0.port = nil
            $0.wireEnd = nil
            $0.enter(.unplugged, by: "hypervisor", at: self.now, reason: reason)
        }
        await saveState()
        publish(
            .warning, subject(record), actor: "hypervisor", kind: "unplugged",
            "taken out on the hypervisor's side (\(reason))"
                + (failure.map { "; it is still in a port of it: \($0)" } ?? ""))
    }
}

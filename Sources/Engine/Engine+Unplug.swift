import ControlProtocol
import Hypervisor

extension Engine {
    /// Takes a device out; answered when QEMU has let go of it.
    func unplug(_ name: String, actor: String, because reason: String? = nil) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let before = devices[index]
        if let busy = busy(before) { return .failed(busy) }
        let vm = before.attachment?.vm ?? before.importer?.peer ?? "its VM"
        let subject = Subject(vm: before.attachment?.vm, device: name)
        switch before.state {
        case .unplugged: return .failed("\(name) is not plugged")
        case .waiting:
            settle(name) { $0.enter(.unplugged, by: actor, at: self.now, reason: reason) }
            await saveState()
            publish(.info, subject, actor: actor, kind: "unplugged", "no longer waits for \(vm)")
            return .done("\(name) no longer waits for \(vm)")
        case .plugged, .plugging, .unplugging, .rejected, .imported: break
        }
        let began = now
        devices[index].operation = "being unplugged by \(actor)"
        devices[index].enter(.unplugging, by: actor, at: began, reason: reason)
        changed()
        defer { endOperation(name) }
        // An engine that is killed from here on must not plug it again.
        await saveState()
        if !isPaused(before.vmID) { await before.host?.whenQuiet() }
        if let failure = await removeFromVM(name) {
            settle(name) {
                $0.enter(before.state, by: before.by, at: before.since, reason: "could not be unplugged: \(failure)")
                // Its farewell was heard; it is not tried again until the guest says another.
                if $0.guest == .deconfigured { $0.guest = .attached }
            }
            await saveState()
            publish(.fault, subject, actor: actor, kind: "unplug-failed", failure)
            return .failed(failure)
        }
        settle(name) {
            $0.wireEnd = nil
            $0.enter(.unplugged, by: actor, at: self.now, reason: reason)
        }
        await saveState()
        publish(
            .info, subject, actor: actor, kind: actor == "guest" ? "guest-removed" : "unplugged",
            reason.map { "unplugged from \(vm): \($0)" } ?? "unplugged from \(vm)", duration: now - began)
        return .done("\(name) unplugged from \(vm)")
    }

    /// Takes a device out once its guest has no disk of it open any more; never against the guest's will.
    ///
    /// There is no way to ask a guest for a disk: it is told to the operator, who waits for somebody in the guest.
    func eject(_ name: String, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        if let busy = busy(record) { return .failed(busy) }
        if record.state == .plugged || record.state == .imported, !record.mediaInUse.isEmpty {
            let disks = record.mediaInUse.sorted().joined(separator: ", ")
            let vm = record.attachment?.vm ?? record.importer?.peer ?? "its guest"
            publish(
                .info, Subject(vm: record.attachment?.vm, device: name), actor: actor, kind: "eject-asked",
                "eject asked; waiting until \(vm) has unmounted \(disks), \(Self.seconds(settings.ejectSeconds)) at most"
            )
            let isFree = await wait(for: name, seconds: settings.ejectSeconds) {
                $0.mediaInUse.isEmpty || $0.generation != record.generation || $0.operation != nil
                    || $0.state != record.state
            }
            guard let after = self.index(name).map({ devices[$0] }) else { return .failed(unknownDevice(name)) }
            if after.state == .unplugged { return .done("\(name) unplugged from \(vm)") }
            guard isFree, after.mediaInUse.isEmpty else {
                return .failed(
                    "\(vm) still has \(disks) of \(name) mounted or open; unmount it there, or unplug it and lose what "
                        + "is not written")
            }
        }
        return await unplug(name, actor: actor, because: "ejected by \(actor)")
    }

    /// The QEMU side of taking out, then ours.
    ///
    /// - Returns: why it failed, or nil.
    @discardableResult
    func removeFromVM(_ name: String) async -> String? {
        guard let index = index(name) else { return nil }
        let record = devices[index]
        if record.isOverUSBIP || record.importer != nil {
            await takeFromImporter(name, reason: record.reason ?? "unplugged by \(record.by)")
            return nil
        }
        if let port = record.port {
            do {
                try await hypervisor.unplug(port)
            } catch {
                // QMP tells of a QEMU that died at the same moment; a VM that is gone has let go of it.
                _ = await wait(for: name, seconds: settings.lossSeconds) { $0.generation != record.generation }
                if vms.contains(where: { $0.id == port.vm && $0.isControllable }) { return "\(error)" }
            }
        }
        settle(name) { if $0.port == record.port { $0.port = nil } }
        await record.host?.closeWire(of: record.generation)
        return nil
    }
}

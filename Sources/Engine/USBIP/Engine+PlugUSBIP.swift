import ControlProtocol
import Hypervisor
import USBIP

/// Plugging by USB/IP: the guest attaches the device itself and must be told to.
extension Engine {
    func plugByUSBIP(_ name: String, into vmName: String, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        if let reason = noExport(devices[index]) { return .failed(reason) }
        let vm = vms.first { $0.name == vmName } ?? vms.first { $0.id == vmName }
        let guestName = vm?.name ?? vmName
        guard vm != nil || watchers[guestName] != nil else {
            return .failed(unknownVM(vmName) + "; and no guest of that name watches (2virt-guest watch)")
        }
        if let vm, isPaused(vm.id) { return .failed("\(vm.name) is paused: its guest cannot attach anything") }
        guard let guest = usbipGuest(guestName, vm) else {
            return .failed(
                "nothing in \(guestName) can be told to attach \(name): neither 2virt-guest watch nor a guest agent. "
                    + "Type in the guest: \(attachLine(devices[index]))")
        }
        return await attachByUSBIP(name, to: guest, actor: actor)
    }

    /// Why a device cannot be had over USB/IP at all; nil when it can.
    private func noExport(_ record: DeviceRecord) -> String? {
        guard exporter != nil else {
            return "there is no USB/IP exporter: name addresses in the configuration, [usbip] listen"
        }
        if let trouble = exporterTrouble { return "nothing can be imported over USB/IP: \(trouble.text)" }
        return record.configuration.export.isExported
            ? nil : "\(record.name) is not exported: its configuration says usbip.export = false"
    }

    /// How a guest can be told, if it can.
    func usbipGuest(_ name: String, _ vm: LiveVM?) -> USBIPGuest? {
        let id = vm?.id ?? USBIPGuest.id(ofWatcher: name)
        if watchers[name] != nil { return USBIPGuest(name: name, id: id, way: .watch) }
        guard let vm, vm.isControllable, let socket = vm.guestAgentSocket else { return nil }
        return USBIPGuest(name: name, id: id, way: .agent, agentSocket: socket)
    }

    /// The way in, also for devices that come back by themselves; begins without awaiting anything.
    func attachByUSBIP(
        _ name: String, to guest: USBIPGuest, actor: String, isComingBack: Bool = false
    ) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let before = devices[index]
        let began = now
        devices[index].operation = "being plugged into \(guest.name) by \(actor)"
        devices[index].attachment = Attachment(vm: guest.name, via: .usbip)
        devices[index].vmID = guest.id
        devices[index].way = guest.way
        devices[index].wireEnd = nil
        devices[index].attachFailure = nil
        devices[index].enter(.plugging, by: actor, at: began)
        devices[index].generation += 1
        let generation = devices[index].generation
        changed()
        defer { endOperation(name) }
        // An engine that is killed from here on leaves word of what it was about.
        await saveState()
        await flushOffers()
        let failure = await tell(guest, toAttach: name, isBooting: isComingBack)
        if failure == nil { await awaitGuest(name, generation: generation) }
        guard let index = self.index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        if record.generation != generation {
            return await usbipPlugFailed(
                before, guest, "\(guest.name) went away meanwhile: \(record.wireEnd ?? "the VM is gone")", actor: actor)
        }
        if let reason = failure ?? record.attachFailure {
            return await usbipPlugFailed(
                before, guest, "\(guest.name) could not attach \(name): \(reason)", actor: actor)
        }
        guard record.importer != nil else {
            let reason = record.wireEnd.map { "\(guest.name) let go of it at once: \($0)" }
            return await usbipPlugFailed(
                before, guest,
                reason ?? "\(guest.name) did not attach it within \(Self.seconds(settings.settleSeconds))", actor: actor
            )
        }
        let note =
            record.guest == .configured
            ? nil : "the guest has not configured it within \(Self.seconds(settings.settleSeconds))"
        settle(name) { $0.enter(.plugged, by: actor, at: self.now, reason: note) }
        await saveState()
        let text = "plugged into \(guest.name) over USB/IP, by its \(guest.way == .watch ? "watcher" : "agent")"
        publish(
            note == nil ? .info : .warning, Subject(vm: guest.name, device: name), actor: actor, kind: "plugged",
            note.map { "\(text); \($0)" } ?? text, duration: now - began)
        return .done("\(name) \(text)" + (note.map { "; \($0)" } ?? ""))
    }

    /// - Returns: why the guest could not be told; nil when it was.
    func tell(_ guest: USBIPGuest, toAttach name: String, isBooting: Bool = false) async -> String? {
        guard let index = index(name) else { return unknownDevice(name) }
        settle(name) { $0.attachFailure = nil }
        switch guest.way {
        case .watch:
            guard let watcher = watchers[guest.name] else { return "its watcher went away" }
            sendAttach(devices[index], to: watcher.link)
            return nil
        case .agent:
            guard let socket = guest.agentSocket else { return "it has no guest agent" }
            return await attachByAgent(
                GuestAgent(socketPath: socket, group: controlGroup), devices[index], isBooting: isBooting)
        }
    }

    /// Waits until the guest has configured the device, or has said that it cannot.
    private func awaitGuest(_ name: String, generation: Int) async {
        _ = await wait(for: name, seconds: settings.settleSeconds) {
            $0.guest == .configured || $0.attachFailure != nil || $0.wireEnd != nil || $0.generation != generation
        }
    }

    private func usbipPlugFailed(
        _ before: DeviceRecord, _ guest: USBIPGuest, _ reason: String, actor: String
    ) async -> Outcome {
        await takeFromImporter(before.name, reason: "the plug failed")
        settle(before.name) { $0.restorePlug(of: before, by: actor, at: self.now, reason: reason) }
        await saveState()
        publish(.warning, Subject(vm: guest.name, device: before.name), actor: actor, kind: "plug-failed", reason)
        return .failed(reason)
    }

    // MARK: Enumerating anew

    /// Takes a device out of its guest before it changes: USB/IP cannot tell a guest to look again.
    func detachForChange(_ name: String) async {
        guard let index = index(name) else { return }
        let reason = "an interface is switched: the device enumerates anew"
        if devices[index].way == .watch { await takeFromImporter(name, reason: reason) }
    }

    /// Gives a device that has changed to its guest again.
    ///
    /// - Returns: what is different from before; nil: nothing.
    func attachAgain(_ before: DeviceRecord) async -> String? {
        let name = before.name
        // What still holds it has an outdated picture of it.
        await takeFromImporter(name, reason: "an interface was switched: the device enumerates anew")
        settle(name) { $0.wireEnd = nil }
        await flushOffers()
        guard before.state != .imported else {
            return "USB/IP cannot tell \(before.importer?.peer ?? "its client") to look again; type in the guest: "
                + attachLine(before)
        }
        let guestName = before.attachment?.vm ?? ""
        guard let guest = usbipGuest(guestName, vms.first { $0.id == before.vmID }) else {
            return "nothing in \(guestName) can be told to attach it again; type in the guest: \(attachLine(before))"
        }
        settle(name) { $0.way = guest.way }
        if let failure = await tell(guest, toAttach: name) {
            return "\(guestName) could not attach it again: \(failure)"
        }
        await awaitGuest(name, generation: before.generation)
        guard let index = self.index(name) else { return unknownDevice(name) }
        let record = devices[index]
        if record.generation != before.generation { return "\(guestName) went away meanwhile" }
        if let failure = record.attachFailure { return "\(guestName) could not attach it again: \(failure)" }
        if record.importer == nil {
            return "\(guestName) did not attach it again: \(record.wireEnd ?? "no word of it"); type in the guest: "
                + attachLine(before)
        }
        return record.guest == .configured || before.guest != .configured
            ? nil : "the guest has not configured the device again within \(Self.seconds(settings.settleSeconds))"
    }

    // MARK: Coming back

    /// Attaches again what waits for a guest that is there, once for each appearance of it.
    func comeBackByUSBIP(_ record: DeviceRecord) {
        guard exporter != nil, exporterTrouble == nil, let name = record.attachment?.vm, let index = index(record.name)
        else { return }
        let vm = vms.first { $0.id == record.vmID } ?? vms.first { $0.name == name }
        let appearance: Int
        let guest: USBIPGuest
        if let watcher = watchers[vm?.name ?? name] {
            guest = USBIPGuest(name: watcher.guest, id: vm?.id ?? USBIPGuest.id(ofWatcher: name), way: .watch)
            appearance = watcher.appearance
        } else if record.way == .agent, let vm, let known = appearances[vm.id], let found = usbipGuest(vm.name, vm) {
            (guest, appearance) = (found, known)
        } else {
            return
        }
        guard appearance != record.triedAppearance else { return }
        devices[index].triedAppearance = appearance
        devices[index].operation = "being plugged again into \(guest.name)"
        Task { _ = await attachByUSBIP(record.name, to: guest, actor: "engine", isComingBack: true) }
    }
}

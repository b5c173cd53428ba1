import ControlProtocol
import ControlSocket
import Foundation
import Hypervisor
import USBCore

extension Engine {
    /// Puts a device into a VM; answered when the guest has configured it, or with why not.
    func plug(_ name: String, into vmName: String, via: Wire, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        if let trouble = record.trouble { return .failed("\(name) cannot be plugged: \(trouble)") }
        if let busy = busy(record) { return .failed(busy) }
        switch record.state {
        case .imported:
            return .failed(
                "\(name) is imported by \(record.importer?.peer ?? "a USB/IP client"); unplug it there first")
        case .plugged, .plugging, .unplugging:
            return .failed(
                "\(name) is \(record.state.rawValue) in \(record.attachment?.vm ?? "a VM") already; unplug it there first"
            )
        case .unplugged, .waiting, .rejected: break
        }
        guard via == .usbredir || !visibleInterfaces(record).isEmpty else {
            return .failed("all interfaces of \(name) are off: enable one before it is plugged")
        }
        if via == .usbip { return await plugByUSBIP(name, into: vmName, actor: actor) }
        guard let vm = vms.first(where: { $0.name == vmName }) ?? vms.first(where: { $0.id == vmName }) else {
            return .failed(unknownVM(vmName))
        }
        guard record.interfaces.isEmpty || !visibleInterfaces(record).isEmpty else {
            return .failed("all interfaces of \(name) are off: enable one before it is plugged")
        }
        return await attach(name, to: vm, via: via, actor: actor)
    }

    /// The way in, also for devices that come back by themselves; begins without awaiting anything.
    func attach(_ name: String, to vm: LiveVM, via: Wire, actor: String) async -> Outcome {
        guard let index = index(name), let host = devices[index].host else { return .failed(unknownDevice(name)) }
        let before = devices[index]
        let began = now
        devices[index].way = nil
        devices[index].operation = "being plugged into \(vm.name) by \(actor)"
        devices[index].attachment = Attachment(vm: vm.name, via: via)
        devices[index].vmID = vm.id
        devices[index].wireEnd = nil
        devices[index].enter(.plugging, by: actor, at: began)
        devices[index].generation += 1
        let generation = devices[index].generation
        changed()
        defer { endOperation(name) }
        // An engine that is killed from here on leaves word of what it was about.
        await saveState()

        let port: PluggedPort
        do {
            let path = try wirePath(name, number: index, generation: generation)
            let request = PlugRequest(device: name, speeds: host.speeds.map { PortSpeed($0) }, socketPath: path)
            port = try await hypervisor.plug(vm: vm.id, request) { choice in
                let port = WirePort(speed: Speed(choice.speed), pipelinesBulkIn: choice.kind == .xhci)
                try await host.listen(at: path, for: port, generation: generation)
            }
        } catch {
            return await plugFailed(before, vm, "\(error)", actor: actor, generation: generation)
        }
        settle(name) {
            $0.port = port
            $0.attachment?.controller = port.bus
            $0.attachment?.port = "\(port.port)"
            $0.attachment?.speed = Speed(port.speed).name
        }
        if !isPaused(vm.id) {
            _ = await wait(for: name, seconds: settings.settleSeconds) {
                $0.guest == .configured || $0.state == .rejected || $0.wireEnd != nil || $0.generation != generation
            }
        }
        return await conclude(before, vm, port, actor: actor, began: began, generation: generation)
    }

    /// What has become of a device that QEMU has: waited for, now to be told.
    private func conclude(
        _ before: DeviceRecord, _ vm: LiveVM, _ port: PluggedPort, actor: String, began: Double, generation: Int
    ) async -> Outcome {
        let name = before.name
        if let index = index(name), devices[index].wireEnd != nil, devices[index].generation == generation {
            // QMP tells of a QEMU that died at the same moment; let it speak first.
            _ = await wait(for: name, seconds: settings.lossSeconds) { $0.generation != generation }
        }
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        if record.generation != generation {
            return await plugFailed(
                before, vm, "\(vm.name) went away meanwhile: \(record.wireEnd ?? "the VM is gone")", actor: actor,
                generation: generation)
        }
        if record.state == .rejected {
            await saveState()
            let failure = await removeFromVM(name).map { "; it is still in a port of it: \($0)" }
            return .failed("\(vm.name) rejected \(name): \(record.reason ?? "no reason given")\(failure ?? "")")
        }
        if let end = record.wireEnd {
            let failure = await removeFromVM(name).map { "; it is still in a port of it: \($0)" }
            return await plugFailed(
                before, vm, "\(vm.name) let go of it at once: \(end)\(failure ?? "")", actor: actor,
                generation: generation)
        }
        let seconds = Self.seconds(settings.settleSeconds)
        let note: String? =
            if record.guest == .configured {
                nil
            } else if isPaused(vm.id) {
                "the guest is paused and sees it when it continues"
            } else if record.connectedAt.map({ $0 >= began }) == true {
                "the guest has not configured it within \(seconds); is its operating system up?"
            } else {
                "QEMU has not taken it up within \(seconds)"
            }
        settle(name) { $0.enter(.plugged, by: actor, at: self.now, reason: note) }
        await saveState()
        let text = "plugged into \(vm.name), \(port.bus) port \(port.port), \(Speed(port.speed).name) speed"
        publish(
            note == nil ? .info : .warning, Subject(vm: vm.name, device: name), actor: actor, kind: "plugged",
            note.map { "\(text); \($0)" } ?? text, duration: now - began)
        return .done("\(name) \(text)" + (note.map { "; \($0)" } ?? ""))
    }

    /// A plug that failed changes nothing: who waited waits on.
    private func plugFailed(
        _ before: DeviceRecord, _ vm: LiveVM, _ reason: String, actor: String, generation: Int
    ) async -> Outcome {
        await before.host?.closeWire(of: generation)
        settle(before.name) { $0.restorePlug(of: before, by: actor, at: self.now, reason: reason) }
        await saveState()
        publish(.warning, Subject(vm: vm.name, device: before.name), actor: actor, kind: "plug-failed", reason)
        return .failed(reason)
    }

    /// Where QEMU finds this plug's wire; a path of its own, so that an earlier one that is still closing is not in the way.
    private func wirePath(_ name: String, number: Int, generation: Int) throws -> String {
        let named = "\(settings.wireDirectory)/\(name)-\(generation).sock"
        let path = named.utf8.count <= 107 ? named : "\(settings.wireDirectory)/\(number)-\(generation).sock"
        try SocketDirectory.prepare(forSocket: path)
        return path
    }
}

extension Speed {
    init(_ speed: PortSpeed) {
        self =
            switch speed {
            case .low: .low
            case .full: .full
            case .high: .high
            case .super: .super
            }
    }
}

extension PortSpeed {
    init(_ speed: Speed) {
        self =
            switch speed {
            case .low: .low
            case .full: .full
            case .high: .high
            case .super: .super
            }
    }
}

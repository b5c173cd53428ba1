import ControlProtocol
import Foundation
import Hypervisor
import USBCore

extension Engine {
    /// How long a command waits for the guest before it answers "plugged, but …".
    static let settleSeconds = 10.0

    /// Puts a device into a VM; answered when the guest has configured it, or with why not.
    func plug(_ name: String, into vmName: String, via: Wire, actor: String) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        if let trouble = record.trouble { return .failed("\(name) cannot be plugged: \(trouble)") }
        if let operation = record.operation { return .failed("\(name) is \(operation); try again when that is done") }
        switch record.state {
        case .plugged, .plugging, .unplugging:
            return .failed(
                "\(name) is \(record.state.rawValue) in \(record.attachment?.vm ?? "a VM") already; unplug it there first")
        case .unplugged, .waiting, .rejected: break
        }
        guard via == .usbredir else {
            return .failed("this version has no USB/IP exporter; plug with --via usbredir")
        }
        guard let vm = vms.first(where: { $0.name == vmName || $0.id == vmName }) else {
            return .failed(unknownVM(vmName))
        }
        return await attach(name, to: vm.name, via: via, actor: actor)
    }

    /// The way in, also for devices that come back by themselves.
    func attach(_ name: String, to vm: String, via: Wire, actor: String) async -> Outcome {
        guard let index = index(name), let host = devices[index].host else { return .failed(unknownDevice(name)) }
        let began = now
        devices[index].operation = "being plugged into \(vm) by \(actor)"
        devices[index].attachment = Attachment(vm: vm, via: via)
        devices[index].enter(.plugging, by: actor, at: began)
        devices[index].generation += 1
        let generation = devices[index].generation
        changed()
        defer { endOperation(name) }

        let port: PluggedPort
        let path = "\(settings.wireDirectory)/\(name).sock"
        do {
            try prepareWireDirectory()
            let speeds = host.speeds.map { PortSpeed($0) }
            port = try await registry.plug(
                vm: vm, PlugRequest(device: name, speeds: speeds, socketPath: path)
            ) { choice in
                try await host.listen(at: path, speed: Speed(choice.speed))
            }
        } catch {
            await host.closeWire()
            let reason = "\(error)"
            settle(name) { $0.enter(.unplugged, by: actor, at: self.now, reason: reason) }
            publish(.warning, Subject(vm: vm, device: name), actor: actor, kind: "plug-failed", reason)
            return .failed(reason)
        }
        settle(name) {
            $0.port = port
            $0.attachment = Attachment(
                vm: vm, via: via, controller: port.bus, port: "\(port.port)", speed: Speed(port.speed).name)
        }
        if isPaused(vm) {
            return plugged(name, vm, port, actor: actor, began: began, note: "the guest is paused and sees it when it continues")
        }
        let settled = await wait(for: name, seconds: Self.settleSeconds) {
            $0.guest == .configured || $0.state == .rejected || $0.state == .unplugged || $0.generation != generation
        }
        guard let index = self.index(name) else { return .failed(unknownDevice(name)) }
        switch devices[index].state {
        case .rejected:
            let reason = devices[index].reason ?? "rejected by the VM"
            await removeFromVM(name)
            return .failed("\(vm) rejected \(name): \(reason)")
        case .plugging:
            if settled { return plugged(name, vm, port, actor: actor, began: began, note: nil) }
            let note =
                isPaused(vm)
                ? "the guest is paused and sees it when it continues"
                : devices[index].connectedAt.map { $0 >= began } == true
                    ? "the guest has not configured it within \(Int(Self.settleSeconds)) s; is its operating system up?"
                    : "QEMU has not taken it up within \(Int(Self.settleSeconds)) s"
            return plugged(name, vm, port, actor: actor, began: began, note: note)
        default:
            return .failed("\(name) was taken out of \(vm) meanwhile: \(devices[index].reason ?? devices[index].state.rawValue)")
        }
    }

    private func plugged(
        _ name: String, _ vm: String, _ port: PluggedPort, actor: String, began: Double, note: String?
    ) -> Outcome {
        let duration = now - began
        settle(name) { $0.enter(.plugged, by: actor, at: self.now, reason: note) }
        saveState()
        let text = "plugged into \(vm), \(port.bus) port \(port.port), \(Speed(port.speed).name) speed"
        publish(
            note == nil ? .info : .warning, Subject(vm: vm, device: name), actor: actor, kind: "plugged",
            note.map { "\(text); \($0)" } ?? text, duration: duration)
        return .done("\(name) \(text)" + (note.map { "; \($0)" } ?? ""))
    }

    /// Takes a device out; answered when QEMU has let go of it.
    func unplug(_ name: String, actor: String, because reason: String? = nil) async -> Outcome {
        guard let index = index(name) else { return .failed(unknownDevice(name)) }
        let record = devices[index]
        if let operation = record.operation { return .failed("\(name) is \(operation); try again when that is done") }
        let vm = record.attachment?.vm ?? ""
        switch record.state {
        case .unplugged: return .failed("\(name) is not plugged")
        case .waiting:
            settle(name) { $0.enter(.unplugged, by: actor, at: self.now, reason: reason) }
            saveState()
            publish(
                .info, Subject(vm: vm, device: name), actor: actor, kind: "unplugged",
                "no longer waits for \(vm)")
            return .done("\(name) no longer waits for \(vm)")
        case .plugged, .plugging, .unplugging, .rejected: break
        }
        let began = now
        devices[index].operation = "being unplugged by \(actor)"
        let wasPlugged = record.state == .plugged
        devices[index].enter(.unplugging, by: actor, at: began, reason: reason)
        changed()
        defer { endOperation(name) }
        if wasPlugged, !isPaused(vm) { await letSettle(name) }
        if let failure = await removeFromVM(name) {
            settle(name) { $0.enter(.plugged, by: actor, at: self.now, reason: failure) }
            publish(.fault, Subject(vm: vm, device: name), actor: actor, kind: "unplug-failed", failure)
            return .failed(failure)
        }
        settle(name) { $0.enter(.unplugged, by: actor, at: self.now, reason: reason) }
        saveState()
        publish(
            .info, Subject(vm: vm, device: name), actor: actor, kind: actor == "guest" ? "guest-removed" : "unplugged",
            reason.map { "unplugged from \(vm): \($0)" } ?? "unplugged from \(vm)", duration: now - began)
        return .done("\(name) unplugged from \(vm)")
    }

    /// Nothing of today's catalogue keeps a cache that the guest would have to flush, so asking and taking are one.
    func eject(_ name: String, actor: String) async -> Outcome {
        await unplug(name, actor: actor, because: "ejected by \(actor)")
    }

    /// QEMU delays the guest's disconnect by seconds when a device goes right after it was found: let it settle.
    private func letSettle(_ name: String) async {
        guard let index = index(name), let connected = devices[index].connectedAt else { return }
        if devices[index].guest != .configured, now - connected < 2 {
            _ = await wait(for: name, seconds: 2 - (now - connected)) { $0.guest == .configured }
        }
    }

    /// The QEMU side of taking out, then ours.
    ///
    /// - Returns: why it failed, or nil.
    @discardableResult
    func removeFromVM(_ name: String) async -> String? {
        guard let index = index(name) else { return nil }
        if let port = devices[index].port {
            do {
                try await registry.unplug(port)
            } catch {
                // A VM that is gone has let go of it.
                if vms.contains(where: { $0.id == port.vm && $0.isControllable }) { return "\(error)" }
            }
        }
        settle(name) { $0.port = nil }
        await devices[index].host?.closeWire()
        return nil
    }

    func endOperation(_ name: String) {
        guard let index = index(name) else { return }
        devices[index].operation = nil
        changed()
    }

    /// Changes a record that may have moved while we waited.
    func settle(_ name: String, _ change: (inout DeviceRecord) -> Void) {
        guard let index = index(name) else { return }
        change(&devices[index])
        changed()
    }

    func isPaused(_ vm: String) -> Bool {
        guard let state = vms.first(where: { $0.name == vm })?.runState else { return false }
        if case .paused = state { return true }
        return false
    }

    func unknownDevice(_ name: String) -> String {
        let known = devices.map(\.name)
        return "there is no device '\(name)'; "
            + (known.isEmpty ? "the configuration has none" : "known: \(known.joined(separator: ", "))")
    }

    func unknownVM(_ name: String) -> String {
        let known = vms.map(\.name)
        return "there is no VM '\(name)'; "
            + (known.isEmpty
                ? "none is found: see [[vms]] in the configuration" : "found: \(known.joined(separator: ", "))")
    }

    private func prepareWireDirectory() throws {
        try FileManager.default.createDirectory(
            atPath: settings.wireDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
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

import ControlProtocol

/// Guests that wait to be told what to attach.
extension Engine {
    func watcherCame(_ link: WatchLink, guest: String, peer: String) {
        let peer = printable(peer, limit: 128)
        let before = watchers[guest]
        lastAppearance += 1
        for index in devices.indices where devices[index].attachment?.vm == guest {
            devices[index].expectedDetaches = 0
        }
        watchers[guest] = Watcher(link: link, guest: guest, peer: peer, since: now, appearance: lastAppearance)
        if let before {
            before.link.close("another watcher took the name \(guest)")
            sayOfWatchers(
                .warning, guest, peer, "watcher-replaced",
                "another watcher calls itself \(guest), from \(peer); the one from \(before.peer) is told nothing more")
        } else {
            sayOfWatchers(
                .info, guest, peer, "watching", "watches from \(peer): devices can be plugged with --via usbip")
        }
        // What it has it says it has; what it lost, by a restart or a broken network, it attaches again.
        for record in devices
        where record.state == .plugged && record.operation == nil && record.way == .watch
            && record.attachment?.vm == guest
        {
            sendAttach(record, to: link)
        }
        comeBack()
        changed()
    }

    func watcherWent(_ link: UInt64, reason: String) {
        guard let watcher = watchers.values.first(where: { $0.link.id == link }) else { return }
        watchers[watcher.guest] = nil
        sayOfWatchers(
            .info, watcher.guest, watcher.peer, "watcher-gone", "no longer watches: \(printable(reason, limit: 200))")
        for index in devices.indices
        where devices[index].state == .plugging && devices[index].way == .watch
            && devices[index].attachment?.vm == watcher.guest
        {
            devices[index].attachFailure = "its watcher went away"
        }
        changed()
    }

    /// What a guest has done, or could not do.
    func take(_ report: WatchReport, from link: UInt64) {
        guard let watcher = watchers.values.first(where: { $0.link.id == link }) else { return }
        switch report {
        case .watch, .pong: break
        case .attached(let busID, let port):
            guard let index = device(busID, of: watcher), (0..<1024).contains(port) else { return }
            devices[index].attachment?.controller = "vhci"
            devices[index].attachment?.port = "\(port)"
            changed()
        case .failed(let busID, let reason):
            guard let index = device(busID, of: watcher) else { return }
            let record = devices[index]
            if record.state == .plugging || record.operation != nil {
                devices[index].attachFailure = printable(reason, limit: 200)
                changed()
            } else if record.state == .plugged {
                // A guest that was restarted asks for what its dead connection still holds.
                Task {
                    await loseImport(
                        record.name, reason: "the guest could not keep it: \(printable(reason, limit: 200))")
                }
            }
        case .detached(let busID):
            guard let index = device(busID, of: watcher) else { return }
            guard devices[index].expectedDetaches == 0 else {
                devices[index].expectedDetaches -= 1
                return
            }
            guard devices[index].operation == nil, devices[index].state == .plugged || devices[index].state == .waiting
            else { return }
            let name = devices[index].name
            Task { _ = await unplug(name, actor: "guest", because: "detached by the guest") }
        }
    }

    func sendAttach(_ record: DeviceRecord, to link: WatchLink) {
        link.send(
            .attach(busid: "1-\(record.busNumber)", name: record.name, speed: record.attachment?.speed ?? "high"))
    }

    /// The device of that bus id, when it belongs to this guest.
    private func device(_ busID: String, of watcher: Watcher) -> Int? {
        devices.firstIndex {
            $0.busNumber > 0 && busID == "1-\($0.busNumber)" && $0.way == .watch && $0.attachment?.vm == watcher.guest
        }
    }

    private func sayOfWatchers(_ severity: Severity, _ guest: String, _ peer: String, _ kind: String, _ text: String) {
        guard let suppressed = refusalNoise.take(at: now) else { return changed() }
        publish(
            severity, Subject(vm: guest), actor: peer, kind: kind,
            text + (suppressed == 0 ? "" : " (\(suppressed) events before it were too many to be told)"))
    }
}

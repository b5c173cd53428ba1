import ControlProtocol
import USBIP

/// Devices in the hands of USB/IP clients.
extension Engine {
    func imported(_ index: Int, by info: ImporterInfo) {
        let record = devices[index]
        let peer = printable(info.peer, limit: 128)
        // On its way into a VM by another wire: it is being taken from the client again.
        if let attachment = record.attachment, attachment.via == .usbredir, record.hasWire { return }
        devices[index].importer = .init(peer: peer, listener: printable(info.listener, limit: 128), since: info.since)
        devices[index].guest = .attached
        devices[index].connectedAt = now
        devices[index].wireEnd = nil
        switch record.state {
        case .plugging, .plugged, .unplugging:
            // Its guest has it; who else may have been faster is seen by the address.
            if let stranger = stranger(peer, for: record) {
                devices[index].importer = nil
                devices[index].guest = .absent
                dropImport(of: record, reason: "kept for \(record.attachment?.vm ?? "another guest")")
                sayRefused(stranger)
            }
            changed()
        case .waiting:
            // Kept for its guest: it was still on offer for a moment.
            devices[index].importer = nil
            devices[index].guest = .absent
            dropImport(of: record, reason: "kept for \(record.attachment?.vm ?? "another guest")")
            changed()
        case .unplugged, .rejected, .imported:
            if record.state != .unplugged { devices[index].enter(.unplugged, by: peer, at: now) }
            devices[index].enter(.imported, by: peer, at: now)
            guard let suppressed = devices[index].noise.take(at: now) else { return changed() }
            publish(
                .info, Subject(device: record.name), actor: peer, kind: "imported",
                "imported over USB/IP" + Self.suppressedNote(suppressed))
        }
    }

    func released(_ index: Int, reason: String) {
        let record = devices[index]
        guard record.importer != nil else { return }
        let reason = printable(reason, limit: 200)
        devices[index].importer = nil
        devices[index].guest = .absent
        switch record.state {
        case .imported:
            devices[index].enter(.unplugged, by: record.importer?.peer ?? "guest", at: now, reason: reason)
            guard record.operation == nil, let suppressed = devices[index].noise.take(at: now) else {
                return changed()
            }
            publish(
                .info, Subject(device: record.name), actor: record.importer?.peer ?? "guest", kind: "released",
                "no longer imported: \(reason)" + Self.suppressedNote(suppressed))
        case .plugging, .plugged, .unplugging:
            devices[index].wireEnd = reason
            changed()
            if record.state == .plugged, record.operation == nil {
                awaitExplanation(record.name, generation: record.generation)
            }
        case .unplugged, .waiting, .rejected: changed()
        }
    }

    static func suppressedNote(_ count: Int) -> String {
        count == 0 ? "" : " (\(count) events of this device before it were too many to be told)"
    }

    /// Who has taken a device that is on its way into a guest that watches from another address; nil when it is that
    /// guest, or when it cannot be known.
    private func stranger(_ peer: String, for record: DeviceRecord) -> String? {
        guard record.way == .watch, let guest = record.attachment?.vm, let watcher = watchers[guest],
            let expected = Self.host(of: watcher.peer), let found = Self.host(of: peer), expected != found
        else { return nil }
        return peer
    }

    /// The address less its port; nil for a UNIX socket.
    static func host(of peer: String) -> String? {
        guard !peer.hasPrefix("/"), !peer.hasPrefix("unix:"), let colon = peer.lastIndex(of: ":") else { return nil }
        return String(peer[..<colon])
    }

    private func sayRefused(_ peer: String) {
        // Refusals beyond what is kept are counted there.
        _ = exports.post(.refused(peer: peer, reason: "the device is being plugged into another guest"))
    }

    static func isReset(_ event: String?) -> Bool { event?.hasPrefix("reset") ?? false }

    /// A guest that was reset holds nothing any more, though nobody has closed its connections: QEMU's user networking
    /// keeps them alive in its place.
    func loseImports(of vm: String) {
        for record in devices where record.vmID == vm && record.state == .plugged && record.isOverUSBIP {
            Task { await loseImport(record.name, reason: "the guest was reset") }
        }
    }

    /// Closes the importer's connection without waiting.
    func dropImport(of record: DeviceRecord, reason: String) {
        guard let exporter else { return }
        Task { await exporter.release(busID: "1-\(record.busNumber)", reason: reason) }
    }

    /// Takes a device out of its importer: a guest that watches is asked first, so that it does not take that for a loss.
    func takeFromImporter(_ name: String, reason: String) async {
        guard let index = index(name), let exporter else { return }
        let record = devices[index]
        let busID = "1-\(record.busNumber)"
        if record.way == .watch, let guest = record.attachment?.vm, let watcher = watchers[guest] {
            devices[index].expectedDetaches += 1
            watcher.link.send(.detach(busid: busID))
            if record.importer != nil {
                _ = await wait(for: name, seconds: settings.detachSeconds) { $0.importer == nil }
            }
        }
        guard let index = self.index(name), devices[index].importer != nil else { return }
        guard await exporter.release(busID: busID, reason: reason) else {
            return settle(name) { $0.importer = nil }
        }
        // Told by the device's loop, in order with what its guest still had to say.
        if await !wait(for: name, seconds: settings.detachSeconds, until: { $0.importer == nil }) {
            settle(name) { $0.importer = nil }
        }
    }

    // MARK: Losses

    /// The connection of a plugged device ended and nobody here has ended it.
    ///
    /// A guest that watches says when it has let go by its own will, and has not; of any other, the closed end of its
    /// connection is all that is known.
    func importEnded(_ record: DeviceRecord) async {
        let reason = record.wireEnd ?? "the connection ended"
        if record.way != .watch, ImportEnd.isGuestsDoing(reason) {
            _ = await unplug(record.name, actor: "guest", because: "detached by the guest")
        } else {
            await loseImport(record.name, reason: reason)
        }
    }

    /// A guest that has lost a device gets it again: at once where it can be told, else when it is back.
    func loseImport(_ name: String, reason: String) async {
        guard let index = index(name), devices[index].state == .plugged, devices[index].isOverUSBIP,
            devices[index].operation == nil
        else { return }
        let record = devices[index]
        devices[index].operation = "being taken back, since its connection was lost"
        if record.importer != nil { await takeFromImporter(name, reason: reason) }
        let wasLong = now - record.since > 60
        settle(name) {
            $0.wireEnd = nil
            $0.generation += 1
            $0.losses = wasLong ? 1 : $0.losses + 1
            $0.enter(
                .waiting, by: "guest", at: self.now,
                reason: "lost by \(record.attachment?.vm ?? "its guest"): \(reason)")
        }
        await saveState()
        publish(
            .warning, Subject(vm: record.attachment?.vm, device: name), actor: "guest", kind: "import-lost",
            "lost by its guest: \(reason); attached again when that can be reached")
        let losses = self.index(name).map { devices[$0].losses } ?? 1
        endOperation(name)
        let pause = min(30, settings.reattachSeconds * Double(1 << min(losses - 1, 8)))
        Task {
            do { try await Task.sleep(for: .seconds(pause)) } catch { return }
            tryAgain(name)
        }
    }

    /// Another attempt for a guest that is still there.
    private func tryAgain(_ name: String) {
        guard let index = index(name), devices[index].state == .waiting else { return }
        devices[index].triedAppearance = nil
        comeBack()
    }
}

/// How the end of an importer's connection is to be read.
enum ImportEnd {
    /// Whether its other end was closed, as a detach does; one with unread answers is reset instead.
    static func isGuestsDoing(_ reason: String) -> Bool {
        [SessionEnd.importerClosed, .importerReset].contains { $0.description == reason }
    }
}

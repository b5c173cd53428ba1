extension VMMonitor {
    /// Plugs a usbredir device: QEMU connects to the caller's socket.
    ///
    /// QEMU is the client and never reconnects: when the process that served the socket dies, the guest sees an unplug
    /// at once, and what remains in QEMU is found by its prefix (`leftovers`) and removed before it is plugged again.
    func plug(
        _ request: PlugRequest, prepare: @escaping @Sendable (PortChoice) async throws -> Void
    ) async throws(PlugError) -> PluggedPort {
        try await exclusively { () async throws(PlugError) -> PluggedPort in
            let path = request.socketPath
            guard (1...107).contains(path.utf8.count), !path.utf8.contains(0) else { throw .badSocketPath(path) }
            let client = try await ready()
            let id = QdevID.make(device: request.device)
            if let choice = try await plugAsKnown(request, id, client, prepare) {
                return plugged(request, id, choice)
            }
            let choice = try await choose(request, id, client)
            try await prepared(request, choice, prepare)
            try await addChardev(id, path, client, replacing: true)
            do throws(PlugError) {
                try await addDevice(id, request, choice, client)
            } catch {
                try await undo(id, client, error)
            }
            do throws(QMPError) {
                try await refreshControllers(client)
            } catch {
                throw .qmp(vm: state.name, error)
            }
            return plugged(request, id, choice)
        }
    }

    /// Plugs by what is known of the ports: asking QEMU anew takes as long as several plugs, and it refuses a port that
    /// is taken.
    ///
    /// - Returns: nil when QEMU refused something, or when that is to be expected; nothing is left of it then.
    private func plugAsKnown(
        _ request: PlugRequest, _ id: String, _ client: QMPClient,
        _ prepare: @escaping @Sendable (PortChoice) async throws -> Void
    ) async throws(PlugError) -> PortChoice? {
        let isIn = state.controllers.contains { $0.ports.contains { $0.occupant?.id == id } }
        guard !isIn, let choice = try? PortChooser(vm: state.name, controllers: state.controllers).choose(request)
        else { return nil }
        try await prepared(request, choice, prepare)
        do throws(PlugError) {
            try await addChardev(id, request.socketPath, client, replacing: false)
        } catch {
            guard case .chardevRefused = error else { throw error }
            return nil
        }
        do throws(PlugError) {
            try await addDevice(id, request, choice, client)
        } catch {
            guard case .deviceRefused = error else { try await undo(id, client, error) }
            try await removeChardev(id, client)
            return nil
        }
        // The picture taken when `info usb` has changed will say it in QEMU's words.
        occupy(choice, USBOccupant(id: id, driver: "usb-redir", product: "USB Redirection Device", isAttached: true))
        return choice
    }

    private func prepared(
        _ request: PlugRequest, _ choice: PortChoice, _ prepare: @Sendable (PortChoice) async throws -> Void
    ) async throws(PlugError) {
        do {
            try await prepare(choice)
        } catch {
            throw .notPrepared(device: request.device, text: printable("\(error)", limit: 300))
        }
    }

    private func occupy(_ choice: PortChoice, _ occupant: USBOccupant) {
        for index in state.controllers.indices where state.controllers[index].bus == choice.bus {
            for port in state.controllers[index].ports.indices
            where state.controllers[index].ports[port].number == choice.port {
                state.controllers[index].ports[port].occupant = occupant
            }
        }
        publish()
    }

    private func plugged(_ request: PlugRequest, _ id: String, _ choice: PortChoice) -> PluggedPort {
        PluggedPort(
            vm: self.id, device: request.device, qdevID: id, bus: choice.bus, port: choice.port,
            speed: choice.speed, note: pausedNote)
    }

    private var pausedNote: String? {
        guard case .paused(let reason) = state.runState else { return nil }
        return "guest is paused (\(reason)); it sees the device when it runs"
    }

    /// The connection, or why there is none.
    func ready() async throws(PlugError) -> QMPClient {
        await awaitConnection()
        guard let client else { throw .notControllable(vm: state.name, reason: state.runState.description) }
        return client
    }

    private func choose(
        _ request: PlugRequest, _ id: String, _ client: QMPClient
    ) async throws(PlugError) -> PortChoice {
        do throws(QMPError) {
            try await refreshControllers(client)
        } catch {
            throw .qmp(vm: state.name, error)
        }
        if state.controllers.contains(where: { $0.ports.contains { $0.occupant?.id == id } }) {
            guard try await isDead(id, client) else {
                throw .alreadyPlugged(vm: state.name, device: request.device, qdevID: id)
            }
            try await remove(id, client)
            do throws(QMPError) {
                try await refreshControllers(client)
            } catch {
                throw .qmp(vm: state.name, error)
            }
        }
        return try PortChooser(vm: state.name, controllers: state.controllers).choose(request)
    }

    /// Whether nobody is at the other end of the device's wire: its engine died.
    private func isDead(_ id: String, _ client: QMPClient) async throws(PlugError) -> Bool {
        do throws(QMPError) {
            let list = try await client.execute("query-chardev").array ?? []
            let wire = list.first { $0["label"]?.string == id }
            return wire?["filename"]?.string?.hasPrefix("disconnected:") ?? true
        } catch {
            throw .qmp(vm: state.name, error)
        }
    }

    /// - Parameter replacing: a chardev of that name without a device is taken away first: a dead engine left it.
    private func addChardev(
        _ id: String, _ path: String, _ client: QMPClient, replacing: Bool
    ) async throws(PlugError) {
        let address: JSONValue = ["type": "unix", "data": ["path": .string(path)]]
        let backend: JSONValue = ["type": "socket", "data": ["addr": address, "server": false]]
        do throws(QMPError) {
            if replacing, try await chardevs(client).contains(id) {
                _ = try await client.execute("chardev-remove", ["id": .string(id)])
            }
            _ = try await client.execute("chardev-add", ["id": .string(id), "backend": backend])
        } catch {
            guard let text = error.refusal else { throw .qmp(vm: state.name, error) }
            throw .chardevRefused(vm: state.name, socketPath: path, text: printable(text, limit: 300))
        }
    }

    private func addDevice(
        _ id: String, _ request: PlugRequest, _ choice: PortChoice, _ client: QMPClient
    ) async throws(PlugError) {
        var arguments: [String: JSONValue] = [
            "driver": "usb-redir", "id": .string(id), "bus": .string(choice.bus),
            "port": .string(String(choice.port)), "chardev": .string(id),
        ]
        if let index = request.bootIndex { arguments["bootindex"] = .int(Int64(index)) }
        do throws(QMPError) {
            _ = try await client.execute("device_add", .object(arguments), timeout: timing.deviceAdd)
        } catch {
            guard let text = error.refusal else { throw .qmp(vm: state.name, error) }
            throw .deviceRefused(vm: state.name, device: request.device, text: printable(text, limit: 300))
        }
    }

    /// Takes back a plug that went wrong, then throws what went wrong.
    private func undo(_ id: String, _ client: QMPClient, _ error: PlugError) async throws(PlugError) -> Never {
        do throws(PlugError) {
            if case .deviceRefused = error {
                // QEMU gives the chardev to a device only when device_add succeeds.
                try await removeChardev(id, client)
            } else {
                try await remove(id, client)
            }
        } catch let second {
            logger.warning("\(id) could not be cleaned up after a failed plug: \(second)")
        }
        throw error
    }

    /// Unplugs and returns when QEMU has deleted the device; one that is gone already is no error.
    func unplug(_ qdevID: String) async throws(PlugError) {
        try await exclusively { () async throws(PlugError) in
            let client = try await ready()
            try await remove(qdevID, client)
            do throws(QMPError) {
                try await refreshControllers(client)
            } catch {
                throw .qmp(vm: state.name, error)
            }
        }
    }

    /// device_del, its DEVICE_DELETED, and the chardev if it is still there.
    private func remove(_ id: String, _ client: QMPClient) async throws(PlugError) {
        let deleted = client.expect("the deletion of \(id)", within: timing.deviceDeleted) {
            $0.name == "DEVICE_DELETED" && $0.data["device"]?.string == id
        }
        do throws(QMPError) {
            _ = try await client.execute("device_del", ["id": .string(id)])
            _ = try await deleted.qmpValue(socket: client.socketPath)
        } catch {
            switch error {
            case .refused(_, _, "DeviceNotFound", _): break
            case .refused(_, _, _, let text):
                throw .deviceRefused(vm: state.name, device: id, text: printable(text, limit: 300))
            case .timeout:
                throw .notDeleted(vm: state.name, qdevID: id, seconds: timing.deviceDeleted.seconds)
            default: throw .qmp(vm: state.name, error)
            }
        }
        try await removeChardev(id, client)
    }

    private func removeChardev(_ id: String, _ client: QMPClient) async throws(PlugError) {
        do throws(QMPError) {
            guard try await chardevs(client).contains(id) else { return }
            _ = try await client.execute("chardev-remove", ["id": .string(id)])
        } catch {
            throw .qmp(vm: state.name, error)
        }
    }

    private func chardevs(_ client: QMPClient) async throws(QMPError) -> Set<String> {
        let list = try await client.execute("query-chardev").array ?? []
        return Set(list.compactMap { $0["label"]?.string })
    }

    // MARK: Leftovers

    /// Devices and chardevs whose id has the prefix, whoever made them.
    func leftovers(prefix: String) async throws(PlugError) -> [Leftover] {
        let client = try await ready()
        do throws(QMPError) {
            let peripherals = try await ControllerDiscovery(client: client).children("/machine/peripheral")
            let devices = Set(peripherals.filter { $0.type == "usb-redir" }.map(\.name))
            let chardevs = try await chardevs(client)
            return devices.union(chardevs).filter { $0.hasPrefix(prefix) }.sorted().map {
                Leftover(qdevID: $0, hasDevice: devices.contains($0), hasChardev: chardevs.contains($0))
            }
        } catch {
            throw .qmp(vm: state.name, error)
        }
    }

    /// Removes them all, except the ids to keep, and returns what was removed.
    func cleanLeftovers(prefix: String, keeping: Set<String>) async throws(PlugError) -> [Leftover] {
        try await exclusively { () async throws(PlugError) -> [Leftover] in
            let client = try await ready()
            let found = try await leftovers(prefix: prefix).filter { !keeping.contains($0.qdevID) }
            for leftover in found {
                if leftover.hasDevice {
                    try await remove(leftover.qdevID, client)
                } else {
                    try await removeChardev(leftover.qdevID, client)
                }
            }
            if !found.isEmpty {
                do throws(QMPError) {
                    try await refreshControllers(client)
                } catch {
                    throw .qmp(vm: state.name, error)
                }
            }
            return found
        }
    }
}

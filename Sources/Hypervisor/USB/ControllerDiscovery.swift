/// Finds a VM's USB buses, their ports and what sits in them, by QOM and `info qtree`.
struct ControllerDiscovery {
    private let client: QMPClient

    init(client: QMPClient) { self.client = client }

    /// A controller device in the QOM tree.
    private struct Found {
        let path: String
        let model: ControllerModel
        let bus: String?
        let values: [String: JSONValue]
    }

    /// Devices past this count are not looked at: a bound on what a hostile peer can make us ask.
    private static let limit = 64

    /// Controllers in QOM order, xHCI first, then EHCI, UHCI, OHCI.
    func controllers() async throws(QMPError) -> [USBController] {
        var found: [Found] = []
        // On-board controllers (-machine usb=on) live in unattached.
        for parent in ["/machine/peripheral", "/machine/peripheral-anon", "/machine/unattached"] {
            for (name, type) in try await children(parent) {
                guard let model = ControllerModel(driver: type), found.count < Self.limit else { continue }
                found.append(try await look(at: parent + "/" + name, model))
            }
        }
        var controllers = found.compactMap { item in
            item.bus.map {
                USBController(
                    bus: $0, driver: item.model.driver, kind: item.model.kind, qomPath: item.path,
                    ports: item.model.ports(item.values))
            }
        }
        for companion in found where companion.bus == nil { Self.fold(companion, into: &controllers) }
        try await fillPorts(&controllers)
        let order = USBController.Kind.allCases
        return order.flatMap { kind in controllers.filter { $0.kind == kind } }
    }

    private func look(at path: String, _ model: ControllerModel) async throws(QMPError) -> Found {
        let bus = try await children(path).first { $0.type == "usb-bus" }?.name
        var values: [String: JSONValue] = [:]
        for property in model.properties {
            values[property] = try await get(path, property)
        }
        return Found(path: path, model: model, bus: bus, values: values)
    }

    /// A companion has no bus: it lends its slow ports to the EHCI bus it names.
    private static func fold(_ companion: Found, into controllers: inout [USBController]) {
        guard let master = companion.values["masterbus"]?.string,
            let index = controllers.firstIndex(where: { $0.bus == master })
        else { return }
        let first = companion.values["firstport"]?.int ?? 0
        let lent = companion.model.ports(companion.values)
        controllers[index].ports = controllers[index].ports.map { port in
            let offset = Int64(port.number - 1) - min(max(first, 0), 64)
            guard lent.indices.contains(Int(offset)) else { return port }
            return USBPort(
                number: port.number, speeds: Set(port.speeds + lent[Int(offset)].speeds).sorted(),
                occupant: port.occupant)
        }
    }

    private func fillPorts(_ controllers: inout [USBController]) async throws(QMPError) {
        let tree: QTree?
        do throws(QMPError) {
            tree = QTree(try await client.humanMonitor("info qtree"))
        } catch {
            // A QEMU built without the human monitor: the pinned ports in QOM are the next best knowledge.
            guard error.refusal != nil else { throw error }
            tree = nil
        }
        for index in controllers.indices {
            var devices = tree?.buses[controllers[index].bus] ?? []
            if devices.isEmpty { devices = try await devicesByQOM(controllers[index]) }
            for device in devices {
                // A path such as 1.2 is behind a hub, which itself is the occupant of port 1.
                guard let slot = controllers[index].ports.firstIndex(where: { String($0.number) == device.port })
                else { continue }
                controllers[index].ports[slot].occupant = USBOccupant(
                    id: device.id, driver: device.driver, product: device.product, isAttached: device.isAttached)
            }
        }
    }

    /// The bus's children and their `port` properties; a device without one took the first free port.
    private func devicesByQOM(_ controller: USBController) async throws(QMPError) -> [QTree.Device] {
        var devices: [QTree.Device] = []
        for (name, type) in try await properties("\(controller.qomPath)/\(controller.bus)")
        where name.hasPrefix("child[") && type.hasPrefix("link<") && devices.count < Self.limit {
            guard let path = try await get("\(controller.qomPath)/\(controller.bus)", name)?.string, !path.isEmpty
            else { continue }
            let last = path.split(separator: "/").last.map(String.init) ?? ""
            devices.append(
                QTree.Device(
                    driver: String(type.dropFirst(5).dropLast()), id: path.contains("/peripheral/") ? last : "",
                    port: try await get(path, "port")?.string ?? ""))
        }
        let pinned = Set(devices.map(\.port))
        var free = controller.ports.map { String($0.number) }.filter { !pinned.contains($0) }[...]
        for index in devices.indices where devices[index].port.isEmpty {
            devices[index].port = free.popFirst() ?? ""
        }
        return devices
    }

    // MARK: QOM

    /// Child objects as name and type, `child<T>` unwrapped.
    func children(_ path: String) async throws(QMPError) -> [(name: String, type: String)] {
        try await properties(path).compactMap { name, type in
            type.hasPrefix("child<") ? (name, String(type.dropFirst(6).dropLast())) : nil
        }
    }

    /// Properties as name and type; none when the object does not exist.
    private func properties(_ path: String) async throws(QMPError) -> [(name: String, type: String)] {
        guard let list = try await ask("qom-list", ["path": .string(path)])?.array else { return [] }
        return list.compactMap { item in
            guard let name = item["name"]?.string, let type = item["type"]?.string else { return nil }
            return (name, type)
        }
    }

    /// A property's value; nil when it does not exist.
    func get(_ path: String, _ property: String) async throws(QMPError) -> JSONValue? {
        try await ask("qom-get", ["path": .string(path), "property": .string(property)])
    }

    /// The answer, or nil when QEMU refuses: objects come and go between two questions.
    private func ask(_ command: String, _ arguments: JSONValue) async throws(QMPError) -> JSONValue? {
        do throws(QMPError) {
            return try await client.execute(command, arguments)
        } catch {
            guard error.refusal != nil else { throw error }
            return nil
        }
    }
}

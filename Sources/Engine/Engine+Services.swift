import ControlProtocol
import SimulatedFirmware

/// Services of the host: which device's guest may use which.
extension Engine {
    /// What configuration gives, by interface: of a Web Service's further names, those that are declared services.
    func configuredServices(of record: DeviceRecord) -> [String: [String]] {
        let declared = Set(configuration.services.map(\.name))
        var result: [String: [String]] = [:]
        for interface in record.interfaces where interface.kind.takesServices {
            result[interface.name] = interface.strings("services").filter(declared.contains)
        }
        return result
    }

    /// Those that somebody has changed since.
    func changedServices(of record: DeviceRecord) -> [String: [String]]? {
        let configured = configuredServices(of: record)
        let changed = record.services.filter { configured[$0.key] != $0.value }
        return changed.isEmpty ? nil : changed
    }

    /// Tells the device what its guest has.
    func giveServices(of record: DeviceRecord) async {
        for (interface, names) in record.services {
            let services = names.compactMap { name in configuration.services.first { $0.name == name } }
            await record.host?.give(services, through: interface)
        }
    }

    /// What was granted and revoked while an earlier engine ran; services that are no longer declared are gone.
    func restoreServices(_ saved: [String: [String]], into record: inout DeviceRecord) async {
        let declared = Set(configuration.services.map(\.name))
        for (interface, names) in saved where record.services[interface] != nil {
            record.services[interface] = names.filter(declared.contains)
        }
        if !saved.isEmpty { await giveServices(of: record) }
    }

    func grant(_ service: String, to device: String, _ named: String?, actor: String) async -> Outcome {
        let found: (index: Int, interface: String)
        do { found = try place(device, named) } catch { return .failed(error.reason) }
        let (index, interface) = found
        guard configuration.services.contains(where: { $0.name == service }) else {
            let known = configuration.services.map(\.name).joined(separator: ", ")
            return .failed(
                "there is no service '\(service)'; "
                    + (known.isEmpty ? "declare some with [[service]] in the configuration" : "known: \(known)"))
        }
        guard devices[index].services[interface]?.contains(service) == false else {
            return .done("\(device)/\(interface) has \(service) already")
        }
        devices[index].services[interface]?.append(service)
        return await settleServices(device, interface, "granted \(service)", kind: "service-granted", actor: actor)
    }

    func revoke(_ service: String, from device: String, _ named: String?, actor: String) async -> Outcome {
        let found: (index: Int, interface: String)
        do { found = try place(device, named) } catch { return .failed(error.reason) }
        let (index, interface) = found
        let given = devices[index].services[interface] ?? []
        guard given.contains(service) else {
            let known = given.joined(separator: ", ")
            return .failed(
                "\(device)/\(interface) does not have '\(service)'; "
                    + (known.isEmpty ? "it has no services" : "it has: \(known)"))
        }
        devices[index].services[interface] = given.filter { $0 != service }
        return await settleServices(device, interface, "revoked \(service)", kind: "service-revoked", actor: actor)
    }

    private func settleServices(
        _ device: String, _ interface: String, _ text: String, kind: String, actor: String
    ) async -> Outcome {
        guard let index = index(device) else { return .failed(unknownDevice(device)) }
        await giveServices(of: devices[index])
        changed()
        await saveState()
        publish(
            .info,
            Subject(
                vm: self.index(device).flatMap { devices[$0].attachment?.vm }, device: device, interface: interface),
            actor: actor, kind: kind, text)
        return .done("\(device)/\(interface): \(text)")
    }

    private struct Refusal: Error { var reason: String }

    /// The device's interface that takes services.
    private func place(_ device: String, _ interface: String?) throws(Refusal) -> (Int, String) {
        guard let index = index(device) else { throw Refusal(reason: unknownDevice(device)) }
        let takers = devices[index].services.keys.sorted()
        if let interface {
            guard takers.contains(interface) else {
                let known = takers.isEmpty ? "none does" : "known: \(takers.joined(separator: ", "))"
                throw Refusal(reason: "\(device) has no interface '\(interface)' that takes services; \(known)")
            }
            return (index, interface)
        }
        switch takers.count {
        case 1: return (index, takers[0])
        case 0:
            throw Refusal(
                reason: "\(device) has no interface that takes services (service-directory or web-service)")
        default:
            throw Refusal(
                reason: "\(device) has several interfaces that take services; name one of: "
                    + takers.map { "\(device)/\($0)" }.joined(separator: ", "))
        }
    }
}

extension InterfaceKind {
    /// Whether an interface of this kind can give its guest services of the host.
    var takesServices: Bool { self == .webService || self == .serviceDirectory }
}

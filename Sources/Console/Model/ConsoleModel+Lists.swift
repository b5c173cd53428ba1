import ControlProtocol

/// A row of any list.
enum RowID: Hashable, Sendable {
    case object(ObjectID)
    case transfer(UInt64)
    case event(EventRowID)
}

/// What the lists hold. Text is made only for rows on the screen.
extension ConsoleModel {
    /// The rows of a pane as it is at this size.
    func rowIDs(_ pane: Pane) -> [RowID] {
        switch pane {
        case .vms: tier.isTree ? treeRows().map(RowID.object) : places().map(RowID.object)
        case .devices: tier.isTree ? treeRows().map(RowID.object) : deviceRows(at: place).map(RowID.object)
        case .traffic: transferRows().map { .transfer($0.sequence) }
        case .events: eventRows().map(RowID.event)
        }
    }

    private func filter(_ pane: Pane) -> Filter? {
        guard let filter = filters[pane], !filter.isEmpty else { return nil }
        return filter
    }

    /// VMs in order, then the shelf: there is always a row to stand on.
    func places() -> [ObjectID] {
        let all = shown.orderedVMs.map { ObjectID.vm($0.id) } + [.shelf]
        guard let filter = filter(.vms) else { return all }
        return all.filter { matches($0, filter) || shown.devices(at: $0).contains { holdsMatch($0, filter) } }
    }

    /// Devices at a place with their unfolded interfaces.
    func deviceRows(at place: ObjectID) -> [ObjectID] {
        let filter = filter(.devices)
        return shown.devices(at: place).flatMap { rows(of: $0, filter: filter) }
    }

    /// Places, devices and interfaces in one list.
    func treeRows() -> [ObjectID] {
        let filter = filter(.vms)
        return (shown.orderedVMs.map { ObjectID.vm($0.id) } + [.shelf]).flatMap { place -> [ObjectID] in
            let devices = shown.devices(at: place)
            if let filter, !matches(place, filter) {
                let found = devices.filter { holdsMatch($0, filter) }
                return found.isEmpty ? [] : [place] + found.flatMap { rows(of: $0, filter: filter) }
            }
            return isUnfolded(place) ? [place] + devices.flatMap { rows(of: $0, filter: nil) } : [place]
        }
    }

    /// A device and what is shown of its interfaces; with a filter, the matching ones, or all when it matches itself.
    private func rows(of device: DeviceSnapshot, filter: Filter?) -> [ObjectID] {
        let id = ObjectID.device(device.name)
        let interfaces = device.interfaces.map { ObjectID.interface(device: device.name, name: $0.name) }
        guard let filter, !matches(id, filter) else { return isUnfolded(id) ? [id] + interfaces : [id] }
        let found = interfaces.filter { matches($0, filter) }
        return found.isEmpty ? [] : [id] + found
    }

    private func holdsMatch(_ device: DeviceSnapshot, _ filter: Filter) -> Bool {
        matches(.device(device.name), filter)
            || device.interfaces.contains { filter.matches(facts($0, of: device)) }
    }

    private func matches(_ id: ObjectID, _ filter: Filter) -> Bool {
        switch id {
        case .shelf: filter.matches(FilterFacts(words: ["not plugged", "unplugged"], fields: [.state: ["unplugged"]]))
        case .vm(let id): shown.vm(id).map { filter.matches(facts($0)) } ?? false
        case .device(let name): shown.device(name).map { filter.matches(facts($0)) } ?? false
        case .interface(let device, let name):
            shown.device(device).flatMap { device in
                device.interface(name).map { filter.matches(facts($0, of: device)) }
            } ?? false
        }
    }

    /// Folds the operator chose; else everything is open while it is little.
    func isUnfolded(_ id: ObjectID) -> Bool {
        if let chosen = folds[id] { return chosen }
        switch id {
        case .vm: return shown.vms.count <= 8
        // However many VMs there are, what waits to be plugged is looked for.
        case .shelf: return shown.devices(at: id).count <= 8
        case .device: return !tier.isTree || shown.devices.count <= 6
        case .interface: return false
        }
    }

    /// What can be folded.
    func isFoldable(_ id: ObjectID) -> Bool {
        switch id {
        case .vm, .shelf: tier.isTree && !shown.devices(at: id).isEmpty
        case .device(let name): shown.device(name)?.interfaces.isEmpty == false
        case .interface: false
        }
    }

    func transferRows() -> [TransferRow] {
        guard let filter = filter(.traffic) else { return shown.traffic.transfers }
        return shown.traffic.transfers.filter { filter.matches(facts($0)) }
    }

    /// Faults first, then events, newest first.
    func eventRows() -> [EventRowID] {
        let filter = filter(.events)
        let faults = shown.faults.filter { filter?.matches(facts($0)) ?? true }
        let events = shown.events.entries.filter { filter?.matches(facts($0.event)) ?? true }
        return faults.map { .fault($0.subject, $0.message) } + events.map { .event($0.key) }
    }
}

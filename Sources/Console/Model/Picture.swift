import ControlProtocol

/// All that was learned from the engine; freezing the display keeps a copy of it.
struct Picture: Sendable, Equatable {
    var snapshot: Snapshot?
    var rates = RateBook()
    var traffic = TrafficLog()
    var events = EventLog()
    /// The console's clock when the last snapshot came.
    var time = 0.0

    var vms: [VMSnapshot] { snapshot?.vms ?? [] }
    var devices: [DeviceSnapshot] { snapshot?.devices ?? [] }
    var faults: [Fault] { snapshot?.faults ?? [] }

    /// VMs in the order shown: broken ones first, those that cannot take a device last, by name within.
    var orderedVMs: [VMSnapshot] {
        vms.sorted { ($0.state.rank, $0.name, $0.id) < ($1.state.rank, $1.name, $1.id) }
    }

    func vm(_ id: String) -> VMSnapshot? { vms.first { $0.id == id } }
    func device(_ name: String) -> DeviceSnapshot? { snapshot?.device(name) }

    func interface(_ device: String, _ name: String) -> InterfaceSnapshot? {
        self.device(device)?.interface(name)
    }

    /// Where a device is listed: its VM, or the shelf when it is in none or its VM is not known.
    func place(of device: DeviceSnapshot) -> ObjectID {
        guard device.state != .unplugged, let vm = device.attachment.flatMap({ snapshot?.vm($0.vm) }) else {
            return .shelf
        }
        return .vm(vm.id)
    }

    /// The devices listed at a place, in the engine's order.
    func devices(at place: ObjectID) -> [DeviceSnapshot] {
        devices.filter { self.place(of: $0) == place }
    }

    func exists(_ id: ObjectID) -> Bool {
        switch id {
        case .shelf: true
        case .vm(let id): vm(id) != nil
        case .device(let name): device(name) != nil
        case .interface(let device, let name): interface(device, name) != nil
        }
    }

    func faults(about id: ObjectID) -> [Fault] {
        faults.filter { fault in
            switch id {
            case .shelf: false
            case .vm(let id):
                fault.subject.device == nil
                    && vm(id).map { $0.name == fault.subject.vm || id == fault.subject.vm } == true
            case .device(let name): fault.subject.device == name && fault.subject.interface == nil
            case .interface(let device, let name): fault.subject.device == device && fault.subject.interface == name
            }
        }
    }

    /// Completed transfers of all devices, both ways.
    var totalTransfers: UInt64 {
        devices.reduce(0) { $0 &+ $1.counters.transfersIn &+ $1.counters.transfersOut }
    }

    /// The row a subject of an event or a fault belongs to; nil for the engine and for what is gone.
    func object(of subject: Subject) -> ObjectID? {
        if let device = subject.device, self.device(device) != nil {
            if let name = subject.interface, interface(device, name) != nil {
                return .interface(device: device, name: name)
            }
            return .device(device)
        }
        return subject.vm.flatMap { snapshot?.vm($0) }.map { .vm($0.id) }
    }
}

extension VMState {
    /// Groups of the VM list.
    fileprivate var rank: Int {
        switch self {
        case .lost, .unreachable: 0
        case .starting, .running, .paused: 1
        case .shutdown: 2
        }
    }
}

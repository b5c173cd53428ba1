import ControlProtocol

/// All that was learned from the engine; freezing the display keeps a copy of it.
struct Picture: Sendable, Equatable {
    var snapshot: Snapshot? {
        didSet { index = Index(snapshot) }
    }
    /// Looked up all the time, made once a snapshot.
    private var index = Index(nil)
    var rates = RateBook()
    var traffic = TrafficLog()
    var events = EventLog()
    /// The console's clock when the last snapshot came.
    var time = 0.0

    var vms: [VMSnapshot] { snapshot?.vms ?? [] }
    var devices: [DeviceSnapshot] { snapshot?.devices ?? [] }
    var faults: [Fault] { snapshot?.faults ?? [] }

    /// VMs in the order shown: broken ones first, those that cannot take a device last, by name within.
    var orderedVMs: [VMSnapshot] { index.ordered }

    func vm(_ id: String) -> VMSnapshot? { index.vms[id] }
    func device(_ name: String) -> DeviceSnapshot? { index.devices[name] }

    func interface(_ device: String, _ name: String) -> InterfaceSnapshot? {
        self.device(device)?.interface(name)
    }

    /// Where a device is listed: its VM, or the shelf when it is in none or its VM is not known.
    func place(of device: DeviceSnapshot) -> ObjectID { index.places[device.name] ?? .shelf }

    /// The devices listed at a place, in the engine's order.
    func devices(at place: ObjectID) -> [DeviceSnapshot] { index.contents[place] ?? [] }

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
            let subject = fault.subject
            switch id {
            case .shelf: return false
            case .vm(let id): return subject.device == nil && (subject.vm == id || subject.vm == vm(id)?.name)
            case .device(let name): return subject.device == name && subject.interface == nil
            case .interface(let device, let name): return subject.device == device && subject.interface == name
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

extension Picture {
    /// What is where in a snapshot.
    fileprivate struct Index: Sendable, Equatable {
        var ordered: [VMSnapshot] = []
        var vms: [String: VMSnapshot] = [:]
        var devices: [String: DeviceSnapshot] = [:]
        var places: [String: ObjectID] = [:]
        var contents: [ObjectID: [DeviceSnapshot]] = [:]

        init(_ snapshot: Snapshot?) {
            guard let snapshot else { return }
            ordered = snapshot.vms.sorted { ($0.state.rank, $0.name, $0.id) < ($1.state.rank, $1.name, $1.id) }
            vms = Dictionary(snapshot.vms.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            for device in snapshot.devices where devices[device.name] == nil {
                devices[device.name] = device
                let vm = device.state == .unplugged ? nil : device.attachment.flatMap { snapshot.vm($0.vm) }
                let place = vm.map { ObjectID.vm($0.id) } ?? .shelf
                places[device.name] = place
                contents[place, default: []].append(device)
            }
        }
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

import ControlProtocol

/// What filters can ask of rows.
extension ConsoleModel {
    func rate(_ id: ObjectID) -> Rate {
        let time = shownTime
        switch id {
        case .device, .interface: return shown.rates.rate(id, now: time)
        case .vm, .shelf:
            return shown.devices(at: id).reduce(Rate()) { $0 + shown.rates.rate(.device($1.name), now: time) }
        }
    }

    func facts(_ vm: VMSnapshot) -> FilterFacts {
        FilterFacts(
            words: [vm.name, vm.stateWord.word, vm.source, vm.hypervisor ?? ""],
            fields: [.state: [vm.stateWord.word, vm.state.rawValue], .vm: [vm.name, vm.id]],
            numbers: [.rate: rate(.vm(vm.id)).bytes, .cpu: vm.cpuPercent ?? 0])
    }

    func facts(_ device: DeviceSnapshot) -> FilterFacts {
        FilterFacts(
            words: [device.name, device.product, device.serialNumber, device.stateWord.word, device.vidpid],
            fields: [
                .state: [device.stateWord.word, device.state.rawValue], .vm: [device.attachment?.vm ?? ""],
                .device: [device.name], .vid: [Format.hex(device.idVendor, 4)], .pid: [Format.hex(device.idProduct, 4)],
                .by: [device.by], .speed: [device.attachment?.speed ?? ""],
                .kind: device.interfaces.map(\.kind), .class: device.interfaces.map(\.kind),
            ],
            numbers: [.rate: rate(.device(device.name)).bytes, .errors: Double(device.counters.errors)])
    }

    func facts(_ interface: InterfaceSnapshot, of device: DeviceSnapshot) -> FilterFacts {
        FilterFacts(
            words: [interface.name, interface.title, interface.kind, interface.stateWord.word, interface.backend],
            fields: [
                .state: [interface.stateWord.word, interface.gate.rawValue], .kind: [interface.kind],
                .class: [interface.kind, interface.title], .by: [interface.by], .device: [device.name],
                .ep: interface.endpoints.map { Format.hex($0.address, 2) }, .type: interface.endpoints.map(\.type),
            ],
            numbers: [
                .rate: rate(.interface(device: device.name, name: interface.name)).bytes,
                .errors: Double(interface.counters.errors),
            ])
    }

    func facts(_ row: TransferRow) -> FilterFacts {
        FilterFacts(
            words: [row.decode, row.status, row.type, Format.hex(row.endpoint, 2), row.interface ?? ""],
            fields: [
                .status: [row.status], .state: [row.status], .type: [row.type], .ep: [Format.hex(row.endpoint, 2)],
                .kind: [row.interface ?? ""],
            ],
            numbers: [.len: Double(row.actual)])
    }

    func facts(_ event: Event) -> FilterFacts {
        FilterFacts(
            words: [event.message, event.kind, event.actor, event.subject.description, event.severity.rawValue],
            fields: [
                .state: [event.severity.rawValue], .kind: [event.kind], .by: [event.actor],
                .vm: [event.subject.vm ?? ""], .device: [event.subject.device ?? ""],
            ])
    }

    func facts(_ fault: Fault) -> FilterFacts {
        FilterFacts(
            words: [fault.message, fault.subject.description, "fault"],
            fields: [
                .state: ["fault"], .vm: [fault.subject.vm ?? ""], .device: [fault.subject.device ?? ""],
            ])
    }
}

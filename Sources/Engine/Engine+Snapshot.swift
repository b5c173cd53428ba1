import ControlProtocol
import Foundation
import Hypervisor
import SimulatedFirmware
import USBCore

extension Engine {
    /// Everything as it is now.
    func snapshot() async -> Snapshot {
        await refreshReports()
        return Snapshot(
            revision: revision, time: now,
            engine: EngineSnapshot(
                hostName: hostName, version: settings.version,
                pid: ProcessInfo.processInfo.processIdentifier, startedAt: startedAt,
                configuration: configuration.file, socket: settings.socket, exporter: exporterSnapshot()),
            vms: (vms.map(vmSnapshot) + watchedGuests()).sorted { $0.name < $1.name },
            devices: devices.map(deviceSnapshot), services: configuration.services.map(serviceSnapshot),
            faults: faults())
    }

    /// Sends snapshots while somebody looks: after changes at most ten a second, and each half second while bytes move.
    func publishLoop() async {
        let ticker = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(500))
                await self.tick()
            }
        }
        defer { ticker.cancel() }
        for await _ in changes.stream {
            if hub.wantsSnapshots { hub.send(await snapshot()) }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        }
    }

    private func tick() async {
        guard hub.wantsSnapshots else { return }
        if await refreshReports() { changes.input.yield() }
    }

    /// - Returns: whether anything has moved since last time.
    @discardableResult
    private func refreshReports() async -> Bool {
        var moved = false
        for record in devices {
            guard let host = record.host else { continue }
            let report = await host.report()
            if let index = index(record.name), devices[index].report != report {
                devices[index].report = report
                moved = true
            }
        }
        return await refreshRoundTrips() || moved
    }

    func subscribe() -> (id: UInt64, outbox: Outbox) { hub.add() }

    func set(_ subscription: Subscription, for id: UInt64) {
        hub.set(subscription, for: id)
        changes.input.yield()
    }

    func unsubscribe(_ id: UInt64) { hub.remove(id) }

    /// Traffic of one device or interface since `sequence`; nil when there is none of that name.
    func traffic(_ selector: TrafficSelector, after sequence: UInt64) async -> TrafficView? {
        guard let index = index(selector.device), let host = devices[index].host else { return nil }
        return await host.traffic(interface: selector.interface, after: sequence)
    }

    // MARK: Parts

    private func vmSnapshot(_ vm: LiveVM) -> VMSnapshot {
        let state: ShownVMState
        var reason: String?
        var since = vmSince[vm.id] ?? 0
        switch vm.runState {
        case .starting: state = .starting
        case .running: (state, reason) = (.running, Self.notable(vm.lastEvent))
        case .paused(let why): (state, reason) = (.paused, why == "paused" ? nil : why)
        case .shutdown(let why): (state, reason) = (.shutdown, why)
        case .lost(let why, let when): (state, reason, since) = (.lost, why, when.timeIntervalSince1970)
        case .unreachable(let why): (state, reason) = (.unreachable, why)
        }
        return VMSnapshot(
            id: vm.id, name: vm.name, source: Self.word(vm.source), state: state, reason: reason, since: since,
            pid: vm.pid, accelerator: vm.accelerator, vcpus: vm.cpuCount,
            memoryBytes: vm.memory.flatMap { UInt64(exactly: $0) }, cpuPercent: vm.cpuPercent,
            startedAt: vm.startedAt?.timeIntervalSince1970, hypervisor: vm.qemuVersion.map { "QEMU \($0)" },
            controllers: vm.controllers.map {
                ControllerSnapshot(
                    id: $0.bus, model: $0.driver, speeds: $0.speeds.map { Speed($0).name }, ports: $0.ports.count,
                    freePorts: $0.freePorts.count)
            },
            attached: vm.controllers.flatMap { controller in
                controller.ports.compactMap { port in
                    port.occupant.map { occupant in
                        AttachedDevice(
                            controller: controller.bus, port: "\(port.number)", product: occupant.product,
                            device: devices.first { $0.port?.qdevID == occupant.id }?.name)
                    }
                }
            }, attachWay: usbipGuest(vm.name, vm)?.way)
    }

    private static func word(_ source: VMSource) -> String {
        switch source {
        case .qmp: "qmp"
        case .qmpDirectory: "qmp-directory"
        case .qemuProcesses: "qemu-processes"
        case .libvirt: "libvirt"
        }
    }

    private func deviceSnapshot(_ record: DeviceRecord) -> DeviceSnapshot {
        let emulator = record.report.emulator
        let identity = emulator?.identity ?? DeviceHost.identity(of: record.configuration)
        return DeviceSnapshot(
            name: record.name, idVendor: identity.idVendor, idProduct: identity.idProduct, product: identity.product,
            serialNumber: identity.serialNumber,
            firmware: record.isEmulated ? .emulated : .simulated, trouble: record.trouble, state: record.state,
            reason: record.reason, since: record.since, by: record.by, attachment: record.attachment,
            guest: record.guest,
            interfaces: emulator.map { interfaceSnapshots($0, of: record) }
                ?? record.interfaces.map { interfaceSnapshot($0, of: record) },
            counters: record.report.counters, export: exportSnapshot(record), emulator: emulator?.status)
    }

    /// Firmware's own; nobody else switches them.
    private func interfaceSnapshots(_ emulator: EmulatorReport, of record: DeviceRecord) -> [InterfaceSnapshot] {
        emulator.interfaces.map {
            var interface = $0
            interface.since = record.since
            interface.by = "firmware"
            return interface
        }
    }

    private func serviceSnapshot(_ service: ServiceDeclaration) -> ServiceSnapshot {
        let holders = devices.flatMap { record in
            record.services.filter { $0.value.contains(service.name) }.keys.sorted().map { "\(record.name)/\($0)" }
        }
        return ServiceSnapshot(
            name: service.name, url: service.upstream.text, description: service.description, givenTo: holders)
    }

    private func interfaceSnapshot(_ interface: InterfaceConfiguration, of record: DeviceRecord) -> InterfaceSnapshot {
        let gate = record.gates[interface.name]
        let report = record.report.interfaces[interface.name]
        return InterfaceSnapshot(
            name: interface.name, kind: interface.kind.rawValue, title: interface.kind.title,
            number: report?.number.map(Int.init), gate: gate?.state ?? .off, since: gate?.since ?? record.since,
            by: gate?.by ?? "engine", backend: report?.backend ?? "",
            trouble: record.backendTroubles[interface.name]?.text,
            effect: effect(of: interface, in: record),
            endpoints: (report?.endpoints ?? []).map {
                EndpointSnapshot(
                    address: $0.address, type: $0.type, maxPacketSize: $0.maxPacketSize, halted: $0.halted,
                    pending: $0.pending)
            }, counters: report?.counters ?? Counters(), services: record.services[interface.name])
    }

    /// What is broken now, worst first.
    private func faults() -> [Fault] {
        var faults: [Fault] = []
        for record in devices {
            let subject = Subject(vm: record.attachment?.vm, device: record.name)
            switch record.state {
            case .waiting, .rejected:
                faults.append(
                    Fault(subject: subject, message: record.reason ?? record.state.rawValue, since: record.since))
            default: break
            }
            if let trouble = record.trouble {
                faults.append(Fault(subject: subject, message: trouble, since: record.since))
            }
            for (interface, trouble) in record.backendTroubles.sorted(by: { $0.key < $1.key }) {
                faults.append(
                    Fault(
                        subject: Subject(vm: record.attachment?.vm, device: record.name, interface: interface),
                        message: trouble.text, since: trouble.since))
            }
        }
        for vm in vms {
            if case .unreachable(let reason) = vm.runState {
                faults.append(
                    Fault(
                        subject: Subject(vm: vm.name), message: reason,
                        since: vm.startedAt?.timeIntervalSince1970 ?? startedAt))
            }
        }
        if let exporterTrouble {
            faults.append(
                Fault(
                    subject: Subject(), message: "nothing can be imported over USB/IP: \(exporterTrouble.text)",
                    since: exporterTrouble.since))
        }
        if let stateTrouble {
            faults.append(
                Fault(
                    subject: Subject(), message: "the state cannot be written: \(stateTrouble.text)",
                    since: stateTrouble.since))
        }
        for trouble in sourceTroubles {
            faults.append(
                Fault(
                    subject: Subject(), message: "\(trouble.source): \(trouble.message)",
                    since: sourceTroubleSince[trouble.source.description] ?? startedAt))
        }
        return faults
    }
}

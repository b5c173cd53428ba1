import ControlProtocol
import Foundation
import USBDevice

extension Engine {
    /// What the last engine left behind; damage is told, not trusted.
    func restoreState() -> EngineState {
        do {
            switch try store.read() {
            case .none: return EngineState()
            case .state(let state): return state
            case .damaged(let reason, let setAside):
                publish(
                    .fault, Subject(), actor: "engine", kind: "state-damaged",
                    "the state file \(store.file) is damaged (\(reason)); it is kept as \(setAside), nothing is plugged again"
                )
                return EngineState()
            }
        } catch {
            publish(
                .fault, Subject(), actor: "engine", kind: "state-unreadable",
                "the state file \(store.file) cannot be read (\(error)); nothing is plugged again")
            return EngineState()
        }
    }

    /// Writes the state as it is now; when this returns, an engine that dies has left it behind.
    func saveState() async {
        guard !isShuttingDown else { return }
        let state = currentState
        let store = store
        // Enqueued before anything else can happen here, so that a later state is written later.
        let trouble: String? = await withCheckedContinuation { continuation in
            store.queue.async {
                do {
                    try store.write(state)
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: "\(error)")
                }
            }
        }
        // Told when it begins and when it ends.
        guard (trouble == nil) != (stateTrouble == nil) else { return }
        stateTrouble = trouble.map { .init(text: $0, since: now) }
        if let trouble {
            publish(
                .fault, Subject(), actor: "engine", kind: "state-unwritable",
                "the state cannot be written: \(trouble); an engine restart would forget what is plugged")
        } else {
            publish(.info, Subject(), actor: "engine", kind: "state-written", "the state can be written again")
        }
    }

    private var currentState: EngineState {
        var state = EngineState()
        state.busNumbers = busNumbers.isEmpty ? nil : busNumbers
        for record in devices {
            let gates = record.gates.compactMapValues { gate -> EngineState.Gate? in
                // Saved in the middle of a switch, the switch counts as not made.
                switch gate.state {
                case .on, .changing: return nil
                case .off, .muted: return EngineState.Gate(state: gate.state, since: gate.since, by: gate.by)
                }
            }
            let keeps = record.state == .plugged || record.state == .waiting || record.state == .plugging
            state.devices[record.name] = EngineState.Device(
                attachment: keeps ? record.attachment : nil, vmID: keeps ? record.vmID : nil, since: record.since,
                by: record.by, gates: gates, services: changedServices(of: record), way: keeps ? record.way : nil)
        }
        return state
    }

    /// All devices of the configuration, in its order; made at the same time, so that one that takes long for want of its
    /// firmware or its backend takes no other's time.
    func makeRecords() async -> [DeviceRecord] {
        await withTaskGroup(of: (Int, DeviceRecord).self) { tasks in
            for (position, entry) in configuration.devices.enumerated() {
                tasks.addTask { (position, await self.makeRecord(entry)) }
            }
            var records: [(position: Int, record: DeviceRecord)] = []
            for await (position, record) in tasks { records.append((position, record)) }
            return records.sorted { $0.position < $1.position }.map(\.record)
        }
    }

    /// A device of the configuration, with its backends open; a backend that fails is that device's trouble only.
    func makeRecord(_ entry: DeviceConfiguration) async -> DeviceRecord {
        var record = DeviceRecord(configuration: entry, since: now)
        switch entry.behaviour {
        case .emulated: break
        case .simulated(let interfaces):
            for interface in interfaces {
                record.gates[interface.name] = .init(state: .on, since: now, by: "engine")
            }
        }
        do {
            record.host = try await DeviceHost.make(
                entry, on: group.next(), networks: networks, signals: signals, logger: logger)
            record.services = configuredServices(of: record)
            await giveServices(of: record)
        } catch {
            record.trouble = "\(error)"
        }
        if let trouble = record.trouble {
            publish(.warning, Subject(device: entry.name), actor: "engine", kind: "device-trouble", trouble)
        }
        return record
    }

    /// What the last engine had plugged waits for its VM; what it had switched off is off before anything is plugged.
    func restore(_ saved: EngineState.Device, into record: inout DeviceRecord) async {
        for interface in record.interfaces {
            let name = interface.name
            guard let gate = saved.gates[name], gate.state == .off || gate.state == .muted,
                record.gates[name] != nil
            else { continue }
            if gate.state == .off, visibleInterfaces(record) == [name] {
                publish(
                    .warning, Subject(device: record.name, interface: name), actor: "engine", kind: "restored",
                    "was off and is on again: it is the only interface left")
                continue
            }
            record.gates[name] = .init(state: gate.state, since: gate.since, by: gate.by)
            await record.host?.setGate(Gate(gate.state), of: name)
        }
        await restoreServices(saved.services ?? [:], into: &record)
        if let attachment = saved.attachment, record.host != nil {
            record.attachment = Attachment(vm: attachment.vm, via: attachment.via)
            record.vmID = saved.vmID
            record.way = saved.way
            record.state = .waiting
            record.since = now
            record.by = saved.by
            record.reason = "waits for \(attachment.vm) since the engine started again"
            publish(
                .info, Subject(vm: attachment.vm, device: record.name), actor: "engine", kind: "restored",
                "was plugged into \(attachment.vm) by \(saved.by) and is plugged again")
        }
    }
}

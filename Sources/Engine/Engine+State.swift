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
                    "the state file \(store.file) is damaged (\(reason)); it is kept as \(setAside), nothing is plugged again")
                return EngineState()
            }
        } catch {
            publish(
                .fault, Subject(), actor: "engine", kind: "state-unreadable",
                "the state file \(store.file) cannot be read (\(error)); nothing is plugged again")
            return EngineState()
        }
    }

    func saveState() {
        var state = EngineState()
        for record in devices {
            let gates = record.gates.compactMapValues { gate -> EngineState.Gate? in
                // Saved in the middle of a switch, the switch counts as made.
                switch gate.state {
                case .on, .changing: nil
                case .off, .muted: EngineState.Gate(state: gate.state, since: gate.since, by: gate.by)
                }
            }
            let keeps = record.state == .plugged || record.state == .waiting || record.state == .plugging
            state.devices[record.name] = EngineState.Device(
                attachment: keeps ? record.attachment : nil, since: record.since, by: record.by, gates: gates)
        }
        do {
            try store.write(state)
        } catch {
            publish(
                .fault, Subject(), actor: "engine", kind: "state-unwritable",
                "the state cannot be written: \(error); an engine restart would forget what is plugged")
        }
    }

    /// A device of the configuration, with its backends open; a backend that fails is that device's trouble only.
    func makeRecord(_ entry: DeviceConfiguration) async -> DeviceRecord {
        var record = DeviceRecord(configuration: entry, since: now)
        switch entry.behaviour {
        case .emulated:
            record.trouble = "emulated firmware is not available in this version"
        case .simulated(let interfaces):
            for interface in interfaces {
                record.gates[interface.name] = .init(
                    state: interface.kind.isAvailable ? .on : .off, since: now, by: "engine",
                    trouble: interface.kind.isAvailable
                        ? nil : "\(interface.kind.title) interfaces are not available in this version")
            }
            do {
                record.host = try await DeviceHost.make(
                    entry, on: group.next(), signals: signalInput, logger: logger)
            } catch {
                record.trouble = "\(error)"
            }
        }
        if let trouble = record.trouble {
            publish(.warning, Subject(device: entry.name), actor: "engine", kind: "device-trouble", trouble)
        }
        return record
    }

    /// What the last engine had plugged waits for its VM; what it had switched off is off.
    func restore(_ saved: EngineState.Device, into record: inout DeviceRecord) {
        for (name, gate) in saved.gates where record.gates[name]?.trouble == nil && record.gates[name] != nil {
            record.gates[name] = .init(state: gate.state, since: gate.since, by: gate.by)
            if let host = record.host { Task { await host.setGate(Gate(gate.state), of: name) } }
        }
        if let attachment = saved.attachment, record.host != nil {
            record.attachment = Attachment(vm: attachment.vm, via: attachment.via)
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

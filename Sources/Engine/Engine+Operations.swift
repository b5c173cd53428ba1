import ControlProtocol
import Hypervisor

extension Engine {
    /// Why a command must wait, naming who does what; nil when the device is free.
    func busy(_ record: DeviceRecord) -> String? {
        record.operation.map { "\(record.name) is \($0); try again when that is done" }
    }

    /// The device is free again; what happened to it meanwhile is looked at now.
    func endOperation(_ name: String) {
        guard let index = index(name) else { return }
        devices[index].operation = nil
        changed()
        let record = devices[index]
        switch record.state {
        case .rejected where record.port != nil: removeRejected(name)
        case .plugged where record.wireEnd != nil: awaitExplanation(name, generation: record.generation)
        case .plugged where record.guest == .deconfigured, .imported where record.guest == .deconfigured:
            awaitFarewell(name, generation: record.generation)
        case .waiting: comeBack()
        default: break
        }
    }

    /// Changes a record that may have moved while we waited.
    func settle(_ name: String, _ change: (inout DeviceRecord) -> Void) {
        guard let index = index(name) else { return }
        change(&devices[index])
        changed()
    }

    /// By id.
    func isPaused(_ vm: String?) -> Bool {
        guard let state = vms.first(where: { $0.id == vm })?.runState else { return false }
        if case .paused = state { return true }
        return false
    }

    func unknownDevice(_ name: String) -> String {
        let known = devices.map(\.name)
        return "there is no device '\(printable(name))'; "
            + (known.isEmpty ? "the configuration has none" : "known: \(known.joined(separator: ", "))")
    }

    func unknownVM(_ name: String) -> String {
        let known = vms.map(\.name)
        return "there is no VM '\(printable(name))'; "
            + (known.isEmpty
                ? "none is found: see [[vms]] in the configuration" : "found: \(known.joined(separator: ", "))")
    }

    static func seconds(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? "\(Int(clamping: Int64(seconds))) s" : "\(seconds) s"
    }
}

/// Text from outside that is shown: short, and nothing in it moves a terminal's cursor.
func printable(_ text: String, limit: Int = 64) -> String {
    let shown = text.unicodeScalars.lazy.filter {
        switch $0.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        default: true
        }
    }
    return String(String.UnicodeScalarView(shown.prefix(limit)))
}

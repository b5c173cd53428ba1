import ControlProtocol

/// How a state is shown: a sign, a word and a role, so that none hangs on colour alone.
struct StateWord: Sendable, Equatable {
    var glyph: String
    var word: String
    var role: StyleRole
}

extension VMState {
    var stateWord: StateWord {
        switch self {
        case .starting: StateWord(glyph: "◐", word: "starting", role: .busy)
        case .running: StateWord(glyph: "●", word: "running", role: .good)
        case .paused: StateWord(glyph: "‖", word: "paused", role: .warn)
        case .shutdown: StateWord(glyph: "○", word: "shut down", role: .off)
        case .unreachable: StateWord(glyph: "!", word: "unreachable", role: .bad)
        case .lost: StateWord(glyph: "✗", word: "lost", role: .bad)
        }
    }

    /// At most seven columns.
    var short: String {
        switch self {
        case .starting: "start"
        case .running: "run"
        case .paused: "paused"
        case .shutdown: "off"
        case .unreachable: "unreach"
        case .lost: "lost"
        }
    }
}

extension VMSnapshot {
    var stateWord: StateWord { state.stateWord }

    /// At most eight columns: `paused`, `lost 4s`.
    func shortState(_ age: Double) -> String {
        state == .lost && age < 1e6 ? "lost " + Format.shortDuration(age) : state.short
    }
}

extension DeviceSnapshot {
    /// Plug state and what the guest made of it, as one.
    var stateWord: StateWord {
        switch state {
        case .unplugged:
            trouble != nil
                ? StateWord(glyph: "!", word: "trouble", role: .bad)
                : StateWord(glyph: "○", word: isExported ? "exported" : "unplugged", role: .off)
        case .imported:
            switch guest {
            case .configured: StateWord(glyph: "●", word: "imported", role: .good)
            case .deconfigured: StateWord(glyph: "◌", word: "deconfigured", role: .warn)
            case .absent, .attached, .enumerating: StateWord(glyph: "◐", word: "imported", role: .busy)
            }
        case .plugging: StateWord(glyph: "◐", word: "plugging", role: .busy)
        case .unplugging: StateWord(glyph: "⏏", word: "leaving", role: .busy)
        case .waiting: StateWord(glyph: "◔", word: "waiting", role: .warn)
        case .rejected: StateWord(glyph: "✗", word: "rejected", role: .bad)
        case .plugged:
            if trouble != nil {
                StateWord(glyph: "!", word: "trouble", role: .bad)
            } else {
                switch guest {
                case .configured: StateWord(glyph: "●", word: "plugged", role: .good)
                case .attached, .absent: StateWord(glyph: "◐", word: "not enumerated", role: .busy)
                case .enumerating: StateWord(glyph: "◐", word: "enumerating", role: .busy)
                case .deconfigured: StateWord(glyph: "◌", word: "deconfigured", role: .warn)
                }
            }
        }
    }

    /// Whether a USB/IP client could have it now.
    var isExported: Bool { export?.listeners.contains { $0.trouble == nil } ?? false }
    /// Plugged, imported, or on its way in or out.
    var isInVM: Bool { state == .plugged || state == .plugging || state == .unplugging || state == .imported }
    /// In a VM, and still there when the console is left: not on its way out.
    var staysInVM: Bool { isInVM && state != .unplugging }
    /// `1209:0001`.
    var vidpid: String { Format.hex(idVendor, 4) + ":" + Format.hex(idProduct, 4) }

    /// `LS`, `FS`, `HS`, `SS`, or blanks when no port was chosen.
    var shortSpeed: String {
        switch attachment?.speed {
        case "low": "LS"
        case "full": "FS"
        case "high": "HS"
        case "super": "SS"
        default: "  "
        }
    }
}

extension InterfaceSnapshot {
    /// The gate; a fault of an interface that is on goes before.
    var stateWord: StateWord {
        switch gate {
        case .changing: StateWord(glyph: "[~]", word: "re-enumerating", role: .busy)
        case .off: StateWord(glyph: "[ ]", word: "off", role: .off)
        case .muted: StateWord(glyph: "[m]", word: "muted", role: .warn)
        case .on:
            trouble == nil
                ? StateWord(glyph: "[x]", word: "on", role: .good) : StateWord(glyph: "[!]", word: "fault", role: .bad)
        }
    }
}

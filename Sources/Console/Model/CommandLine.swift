import ControlProtocol

/// A verb of the `:` line, named as on the command line.
enum CommandLine {
    enum Verb: String, CaseIterable {
        case plug, unplug, eject, enable, disable, mute, type, press, theme, filter, help, quit

        var usage: String {
            switch self {
            case .plug: "plug DEVICE VM [usbip]"
            case .unplug: "unplug DEVICE"
            case .eject: "eject DEVICE"
            case .enable: "enable DEVICE INTERFACE"
            case .disable: "disable DEVICE INTERFACE"
            case .mute: "mute DEVICE INTERFACE"
            case .type: "type DEVICE TEXT"
            case .press: "press DEVICE KEYS, such as ctrl+alt+delete"
            case .theme: "theme NAME"
            case .filter: "filter WORDS"
            case .help: "help"
            case .quit: "quit"
            }
        }
    }

    /// Words that can stand where the cursor is and begin as typed.
    static func candidates(_ text: String, _ model: ConsoleModel) -> [String] {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let typed = words.last ?? ""
        return options(after: words.dropLast().filter { !$0.isEmpty }, model).filter { $0.hasPrefix(typed) }
    }

    /// The text with its last word completed as far as the candidates agree; nil when nothing can be added.
    static func complete(_ text: String, _ model: ConsoleModel) -> String? {
        let found = candidates(text, model)
        guard var common = found.first else { return nil }
        for word in found.dropFirst() {
            while !word.hasPrefix(common) { common.removeLast() }
        }
        let typed = text.split(separator: " ", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        let result = text.dropLast(typed.count) + common + (found.count == 1 ? " " : "")
        return result == text ? nil : String(result)
    }

    private static func options(after words: [String], _ model: ConsoleModel) -> [String] {
        guard let first = words.first else { return Verb.allCases.map(\.rawValue) }
        let devices = model.live.devices
        switch (Verb(rawValue: first), words.count) {
        case (.plug, 1): return devices.filter { model.plugReason($0) == nil }.map(\.name)
        case (.plug, 2): return model.live.orderedVMs.map(\.name)
        case (.plug, 3): return Wire.allCases.map(\.rawValue)
        case (.unplug, 1): return devices.filter { $0.state != .unplugged }.map(\.name)
        case (.eject, 1): return devices.filter { $0.state == .plugged }.map(\.name)
        case (.type, 1), (.press, 1):
            return devices.filter { $0.interfaces.contains { $0.kind == "keyboard" } }.map(\.name)
        case (.enable, 1), (.disable, 1), (.mute, 1): return devices.map(\.name)
        case (.enable, 2), (.disable, 2), (.mute, 2): return model.live.device(words[1])?.interfaces.map(\.name) ?? []
        case (.theme, 1): return model.themes
        default: return []
        }
    }
}

extension ConsoleModel {
    /// Runs a line of the `:` prompt; what is wrong with it is said in the status line.
    mutating func run(_ line: String) -> [ConsoleEffect] {
        let words = line.split(separator: " ").map(String.init)
        guard let first = words.first else { return [] }
        if history.last != line { history.append(line) }
        if history.count > 100 { history.removeFirst() }
        guard let verb = CommandLine.Verb(rawValue: first) else {
            let known = CommandLine.Verb.allCases.map(\.rawValue).joined(separator: " ")
            tell("no command '\(first)': \(known)", .bad)
            return [.bell]
        }
        switch verb {
        case .help: mode = .help(HelpState(context: keyContext))
        case .quit: return [.quit]
        case .filter:
            let text = words.dropFirst().joined(separator: " ")
            filters[focusedPane] = text.isEmpty ? nil : Filter(text)
        case .theme:
            guard words.count == 2 else { return usage(verb) }
            return [.loadTheme(words[1])]
        case .type:
            // The text as it stands, spaces and all.
            let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard parts.count == 3 else { return usage(verb) }
            return change(verb, Array(parts.dropFirst()))
        case .plug, .unplug, .eject, .enable, .disable, .mute, .press: return change(verb, Array(words.dropFirst()))
        }
        return []
    }

    private mutating func usage(_ verb: CommandLine.Verb) -> [ConsoleEffect] {
        tell("usage: \(verb.usage)", .bad)
        return [.bell]
    }

    private mutating func refuse(_ reason: String) -> [ConsoleEffect] {
        tell(reason, .bad)
        return [.bell]
    }

    private mutating func change(_ verb: CommandLine.Verb, _ words: [String]) -> [ConsoleEffect] {
        if let reason = disabledReason(.plug) { return refuse("\(verb.rawValue): \(reason)") }
        guard let name = words.first else { return usage(verb) }
        guard let device = live.device(name) else { return refuse("no device '\(name)'") }
        switch (verb, words.count) {
        case (.unplug, 1): return unplug(name)
        case (.type, 2):
            let command = Command.type(device: name, interface: nil, text: words[1], layout: nil)
            return [send(command, "type \(Format.plural(words[1].count, "character")) on \(name)")]
        case (.press, 2):
            return [send(.press(device: name, interface: nil, keys: words[1]), "press \(words[1]) on \(name)")]
        case (.eject, 1): return [send(.eject(device: name), "eject \(name), waiting for its guest")]
        case (.plug, 2), (.plug, 3):
            guard let vm = live.snapshot?.vm(words[1]) else { return refuse("no VM '\(words[1])'") }
            guard let via = words.count == 3 ? Wire(rawValue: words[2]) : .usbredir else {
                return refuse("no wire '\(words[2])': usbredir or usbip")
            }
            if let reason = plugReason(device) ?? plugReason(device, into: vm, via: via) {
                return refuse("plug \(name): \(reason)")
            }
            return plug(name, into: vm.name, via: via)
        case (.enable, 2), (.disable, 2), (.mute, 2):
            guard let interface = device.interface(words[1]) else {
                return refuse("\(name) has no interface '\(words[1])'")
            }
            let gates: [CommandLine.Verb: GateState] = [.enable: .on, .disable: .off, .mute: .muted]
            return [switchInterface(interface, of: device, to: gates[verb] ?? .on)]
        default: return usage(verb)
        }
    }
}

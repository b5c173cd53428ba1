/// What a QEMU command line says about its name, accelerators and QMP monitors.
struct QEMUCommandLine: Equatable, Sendable {
    /// One monitor in control (QMP) mode.
    enum Monitor: Equatable, Sendable {
        /// A UNIX socket QEMU listens on; the path may be relative to QEMU's working directory.
        case unixServer(path: String)
        /// Any other place, with the reason why we cannot use it.
        case unusable(reason: String)
    }

    var name: String?
    /// In the order QEMU tries them; empty means QEMU's default.
    var accelerators: [String] = []
    var monitors: [Monitor] = []

    /// Nil when the arguments are not a system emulator's.
    init?(arguments: [String]) {
        guard let program = arguments.first, Self.isSystemEmulator(program) else { return nil }
        var chardevs: [String: Monitor] = [:]
        var monitorChardevs: [String] = []
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            // QEMU takes -option and --option.
            guard argument.hasPrefix("-") else { continue }
            switch argument.hasPrefix("--") ? argument.dropFirst(2) : argument.dropFirst(1) {
            case "name":
                let options = Options(rest.popFirst() ?? "", implied: "guest")
                name = options["guest"] ?? name
            case "enable-kvm":
                accelerators.append("kvm")
            case "accel":
                if let kind = Options(rest.popFirst() ?? "", implied: "accel")["accel"] { accelerators.append(kind) }
            case "machine", "M":
                let options = Options(rest.popFirst() ?? "", implied: "type")
                accelerators += (options["accel"] ?? "").split(separator: ":").map(String.init)
            case "chardev":
                let options = Options(rest.popFirst() ?? "", implied: "backend")
                if let id = options["id"] { chardevs[id] = Self.monitor(chardev: options) }
            case "mon":
                let options = Options(rest.popFirst() ?? "", implied: "chardev")
                if options["mode"] == "control", let id = options["chardev"] { monitorChardevs.append(id) }
            case "qmp", "qmp-pretty":
                let value = rest.popFirst() ?? ""
                if value.hasPrefix("chardev:") {
                    monitorChardevs.append(String(value.dropFirst(8)))
                } else {
                    monitors.append(Self.monitor(legacy: value))
                }
            default:
                continue
            }
        }
        monitors += monitorChardevs.map {
            chardevs[$0] ?? .unusable(reason: "its QMP monitor uses chardev \($0), which the command line lacks")
        }
    }

    static func isSystemEmulator(_ program: String) -> Bool {
        let file = program.split(separator: "/").last ?? ""
        return file.hasPrefix("qemu-system-") || file == "qemu-kvm" || file == "kvm"
    }

    private static func monitor(chardev options: Options) -> Monitor {
        guard options["backend"] == "socket" else {
            return .unusable(reason: "its QMP monitor is on a \(options["backend"] ?? "?") chardev, not a socket")
        }
        if options["fd"] != nil {
            return .unusable(reason: "its QMP socket was passed in by a manager such as libvirt")
        }
        return monitor(socket: options, where: "chardev \(options["id"] ?? "?")")
    }

    private static func monitor(legacy value: String) -> Monitor {
        guard value.hasPrefix("unix:") else {
            let kind = value.split(separator: ":").first.map(String.init) ?? "nothing"
            return .unusable(reason: "its QMP monitor is on \(kind), not on a UNIX socket")
        }
        return monitor(socket: Options(String(value.dropFirst(5)), implied: "path"), where: "-qmp")
    }

    private static func monitor(socket options: Options, where place: String) -> Monitor {
        guard let path = options["path"], !path.isEmpty else {
            return .unusable(reason: "its QMP monitor (\(place)) is on TCP, not on a UNIX socket")
        }
        if options.isOn("abstract") {
            return .unusable(reason: "its QMP socket \(path) is an abstract one")
        }
        guard options.isOn("server") else {
            return .unusable(reason: "its QMP monitor (\(place)) connects out to \(path) instead of listening")
        }
        return .unixServer(path: path)
    }

    /// QEMU's `key=value,flag,key=a,,b` option text; `,,` stands for one comma.
    struct Options {
        private var values: [String: String] = [:]

        init(_ text: String, implied: String) {
            for (index, item) in Self.items(text).enumerated() {
                if let equals = item.firstIndex(of: "=") {
                    values[String(item[..<equals])] = String(item[item.index(after: equals)...])
                } else if index == 0 {
                    values[implied] = item
                } else {
                    values[item] = "on"
                }
            }
        }

        subscript(key: String) -> String? { values[key] }

        func isOn(_ key: String) -> Bool { ["on", "yes", "true", "y"].contains(values[key] ?? "") }

        private static func items(_ text: String) -> [String] {
            var items: [String] = []
            var item = ""
            var rest = text[...]
            while let character = rest.popFirst() {
                if character != "," {
                    item.append(character)
                } else if rest.first == "," {
                    item.append(character)
                    rest.removeFirst()
                } else {
                    items.append(item)
                    item = ""
                }
            }
            return items + [item]
        }
    }
}

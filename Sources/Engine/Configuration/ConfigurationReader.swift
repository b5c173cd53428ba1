import Foundation
import TOMLKit
import USBCore

/// Reads a configuration file and reports every mistake in it, not only the first.
public struct ConfigurationReader {
    /// Larger files are refused unread.
    static let maximumSize = 4 << 20

    private let file: String
    private let locator: TOMLLocator
    private var problems: [ConfigurationProblem] = []
    private var warnings: [ConfigurationProblem] = []

    /// - Throws: all mistakes found, or why the file cannot be read.
    public static func read(file: String) throws(ConfigurationError) -> Configuration {
        func unreadable(_ found: String) -> ConfigurationError {
            ConfigurationError(problems: [
                ConfigurationProblem(file: file, line: nil, key: "", found: found, allowed: "a readable TOML file")
            ])
        }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            defer { try? handle.close() }
            data = try handle.read(upToCount: maximumSize + 1) ?? Data()
        } catch {
            throw unreadable("cannot be read (\((error as NSError).localizedDescription))")
        }
        guard data.count <= maximumSize else { throw unreadable("is larger than \(maximumSize >> 20) MiB") }
        guard let text = String(data: data, encoding: .utf8) else { throw unreadable("is not UTF-8 text") }
        return try read(text: text, file: file)
    }

    /// - Parameter file: the name that messages use.
    public static func read(text: String, file: String) throws(ConfigurationError) -> Configuration {
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    file: file, line: error.source.begin.line, key: "", found: "is not TOML: \(error.description)",
                    allowed: "")
            ])
        } catch {
            throw ConfigurationError(problems: [
                ConfigurationProblem(file: file, line: nil, key: "", found: "is not TOML: \(error)", allowed: "")
            ])
        }
        var reader = ConfigurationReader(file: file, locator: TOMLLocator(text))
        let configuration = reader.configuration(root)
        guard reader.problems.isEmpty else {
            throw ConfigurationError(problems: reader.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
        }
        return configuration
    }

    private init(file: String, locator: TOMLLocator) {
        self.file = file
        self.locator = locator
    }

    // MARK: Sections

    private mutating func configuration(_ root: TOMLTable) -> Configuration {
        var result = Configuration(file: file)
        checkKeys(of: root, at: "", allowed: ["engine", "vms", "usbip", "device"])
        if let engine = table(root["engine"], at: "engine") {
            checkKeys(of: engine, at: "engine", allowed: ["socket"])
            result.socket = string(engine, "socket", at: "engine", allowed: "the path of a UNIX socket")
        }
        for (index, entry) in tables(root["vms"], at: "vms").enumerated() {
            if let source = vmSource(entry, at: "vms[\(index)]") { result.vms.append(source) }
        }
        if let usbip = table(root["usbip"], at: "usbip") {
            checkKeys(of: usbip, at: "usbip", allowed: ["listen", "allow"])
            var section = USBIPConfiguration()
            section.listen =
                strings(usbip, "listen", at: "usbip", allowed: "a list of \"host:port\" or \"unix:/path\"") ?? []
            section.allow =
                strings(usbip, "allow", at: "usbip", allowed: "a list of networks such as \"127.0.0.0/8\"") ?? []
            result.usbip = section
            if !section.listen.isEmpty {
                warn("usbip.listen", "this version has no USB/IP exporter; nothing will listen", "")
            }
        }
        var names: Set<String> = []
        for (index, entry) in tables(root["device"], at: "device").enumerated() {
            guard let device = device(entry, at: "device[\(index)]") else { continue }
            if names.insert(device.name).inserted {
                result.devices.append(device)
            } else {
                problem(
                    "device[\(index)].name", "\"\(device.name)\" is the name of an earlier device", "a name of its own")
            }
        }
        result.warnings = warnings
        return result
    }

    private mutating func vmSource(_ entry: TOMLTable, at path: String) -> VMSourceConfiguration? {
        let words = "\"qmp\", \"qmp-directory\", \"qemu-processes\" or \"libvirt\""
        guard let source = required(string(entry, "source", at: path, allowed: words), "\(path).source", words) else {
            return nil
        }
        switch source {
        case "qmp":
            checkKeys(of: entry, at: path, allowed: ["source", "path", "name"])
            let name = string(entry, "name", at: path, allowed: "the VM's name")
            guard let socket = requiredPath(entry, at: path, "the path of a QMP socket") else { return nil }
            return .qmp(path: socket, name: name)
        case "qmp-directory":
            checkKeys(of: entry, at: path, allowed: ["source", "path"])
            return requiredPath(entry, at: path, "the path of a directory of *.qmp sockets").map {
                .qmpDirectory(path: $0)
            }
        case "qemu-processes":
            checkKeys(of: entry, at: path, allowed: ["source"])
            return .qemuProcesses
        case "libvirt":
            checkKeys(of: entry, at: path, allowed: ["source", "uri"])
            let uri = string(entry, "uri", at: path, allowed: "a libvirt URI such as \"qemu:///system\"")
            return .libvirt(uri: uri ?? "qemu:///system")
        default:
            problem("\(path).source", "\"\(source)\"", words)
            return nil
        }
    }

    private mutating func device(_ entry: TOMLTable, at path: String) -> DeviceConfiguration? {
        checkKeys(
            of: entry, at: path,
            allowed: [
                "name", "speed", "interfaces", "firmware", "board", "product", "idVendor",
                "idProduct", "serial",
            ])
        let before = problems.count
        let name = required(
            string(entry, "name", at: path, allowed: Self.nameRule), "\(path).name", Self.nameRule)
        if let name, !Self.isName(name) { problem("\(path).name", "\"\(name)\"", Self.nameRule) }
        var speed: Speed?
        let speeds = "\"low\", \"full\", \"high\" or \"super\""
        if let word = string(entry, "speed", at: path, allowed: speeds) {
            speed = Speed(name: word)
            if speed == nil { problem("\(path).speed", "\"\(word)\"", speeds) }
        }
        let product = string(entry, "product", at: path, allowed: "text")
        let serial = string(entry, "serial", at: path, allowed: "text")
        let idVendor = identifier(entry, "idVendor", at: path)
        let idProduct = identifier(entry, "idProduct", at: path)
        let behaviour = behaviour(entry, at: path)
        guard let name, let behaviour, problems.count == before else { return nil }
        return DeviceConfiguration(
            name: name, speed: speed, idVendor: idVendor, idProduct: idProduct, product: product, serialNumber: serial,
            behaviour: behaviour, line: locator.line(of: path) ?? 0)
    }

    private mutating func behaviour(_ entry: TOMLTable, at path: String) -> DeviceConfiguration.Behaviour? {
        if entry["firmware"] != nil {
            let image = string(entry, "firmware", at: path, allowed: "the path of a firmware image")
            let board = required(
                string(entry, "board", at: path, allowed: "a board such as \"stm32f042\""), "\(path).board",
                "a board such as \"stm32f042\"")
            if entry["interfaces"] != nil {
                problem(
                    "\(path).interfaces", "stands beside 'firmware'",
                    "one of the two: an image brings its own interfaces")
            }
            guard let image, let board else { return nil }
            warn(
                "\(path).firmware",
                "this version cannot run firmware images; the device is listed and cannot be plugged", "")
            return .emulated(firmware: image, board: board)
        }
        guard entry["interfaces"] != nil else {
            problem(path, "has neither 'interfaces' nor 'firmware'", "one of the two")
            return nil
        }
        let entries = tables(entry["interfaces"], at: "\(path).interfaces")
        if entries.isEmpty { problem("\(path).interfaces", "is empty", "at least one interface") }
        var interfaces: [InterfaceConfiguration] = []
        var names: Set<String> = []
        for (index, table) in entries.enumerated() {
            let place = "\(path).interfaces[\(index)]"
            guard let interface = interface(table, at: place) else { continue }
            if !names.insert(interface.name).inserted {
                problem(
                    "\(place).name", "\"\(interface.name)\" is the name of an earlier interface", "a name of its own")
            }
            interfaces.append(interface)
        }
        return .simulated(interfaces)
    }

    private mutating func interface(_ entry: TOMLTable, at path: String) -> InterfaceConfiguration? {
        let kinds = InterfaceKind.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        guard let word = required(string(entry, "kind", at: path, allowed: kinds), "\(path).kind", kinds) else {
            return nil
        }
        guard let kind = InterfaceKind(rawValue: word) else {
            problem("\(path).kind", "\"\(word)\"", kinds)
            return nil
        }
        checkKeys(of: entry, at: path, allowed: ["kind", "name"] + kind.keys.map(\.name))
        let before = problems.count
        let name = string(entry, "name", at: path, allowed: Self.nameRule) ?? kind.rawValue
        if !Self.isName(name) { problem("\(path).name", "\"\(name)\"", Self.nameRule) }
        var values: [String: InterfaceConfiguration.Value] = [:]
        for key in kind.keys {
            let place = "\(path).\(key.name)"
            let value: InterfaceConfiguration.Value? =
                switch key.shape {
                case .string: string(entry, key.name, at: path, allowed: key.allowed).map { .string($0) }
                case .strings: strings(entry, key.name, at: path, allowed: key.allowed).map { .strings($0) }
                case .bool: entry[key.name]?.bool.map { .bool($0) }
                case .int: entry[key.name]?.int.map { .int($0) }
                }
            if let value {
                values[key.name] = value
            } else if entry[key.name] == nil, key.isRequired {
                problem(place, "is missing", key.allowed)
            }
        }
        guard problems.count == before else { return nil }
        let result = InterfaceConfiguration(kind: kind, name: name, values: values, line: locator.line(of: path) ?? 0)
        do {
            try InterfaceFactory.check(result)
        } catch {
            problem("\(path).\(error.key)", error.found, error.allowed)
            return nil
        }
        if !kind.isAvailable {
            warn(
                "\(path).kind",
                "\(kind.title) interfaces are not available in this version; it is listed and stays off", "")
        }
        return result
    }

    // MARK: Values

    private static let nameRule = "1 to 64 of letters, digits, '.', '_' and '-'"

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122)
                    || [45, 46, 95].contains($0)
            } && name != "." && name != ".."
    }

    private mutating func identifier(_ entry: TOMLTable, _ key: String, at path: String) -> UInt16? {
        guard let value = entry[key] else { return nil }
        if let number = value.int, let id = UInt16(exactly: number) { return id }
        problem("\(path).\(key)", "is \(Self.describe(value))", "a number from 0 to 0xFFFF")
        return nil
    }

    private mutating func requiredPath(_ entry: TOMLTable, at path: String, _ allowed: String) -> String? {
        required(
            string(entry, "path", at: path, allowed: allowed), "\(path).path", allowed, isPresent: entry["path"] != nil)
    }

    private mutating func required(
        _ value: String?, _ path: String, _ allowed: String, isPresent: Bool = false
    ) -> String? {
        if value == nil, !isPresent, !problems.contains(where: { $0.key == path }) {
            problem(path, "is missing", allowed)
        }
        return value
    }

    private mutating func string(_ table: TOMLTable, _ key: String, at path: String, allowed: String) -> String? {
        guard let value = table[key] else { return nil }
        if let string = value.string, !string.isEmpty { return string }
        problem(path.isEmpty ? key : "\(path).\(key)", "is \(Self.describe(value))", allowed)
        return nil
    }

    private mutating func strings(_ table: TOMLTable, _ key: String, at path: String, allowed: String) -> [String]? {
        guard let value = table[key] else { return nil }
        let place = "\(path).\(key)"
        guard let array = value.array else {
            problem(place, "is \(Self.describe(value))", allowed)
            return nil
        }
        var result: [String] = []
        for index in 0..<array.count {
            if let string = array[index].string {
                result.append(string)
            } else {
                problem("\(place)[\(index)]", "is \(Self.describe(array[index]))", allowed)
            }
        }
        return result
    }

    private mutating func table(_ value: (any TOMLValueConvertible)?, at path: String) -> TOMLTable? {
        guard let value else { return nil }
        if let table = value.table { return table }
        problem(path, "is \(Self.describe(value))", "a table: [\(path)]")
        return nil
    }

    private mutating func tables(_ value: (any TOMLValueConvertible)?, at path: String) -> [TOMLTable] {
        guard let value else { return [] }
        guard let array = value.array else {
            problem(path, "is \(Self.describe(value))", "tables: [[\(path)]]")
            return []
        }
        var result: [TOMLTable] = []
        for index in 0..<array.count {
            if let table = array[index].table {
                result.append(table)
            } else {
                problem("\(path)[\(index)]", "is \(Self.describe(array[index]))", "a table")
            }
        }
        return result
    }

    private mutating func checkKeys(of table: TOMLTable, at path: String, allowed: [String]) {
        for key in table.keys where !allowed.contains(key) {
            problem(path.isEmpty ? key : "\(path).\(key)", "is not a key here", allowed.joined(separator: ", "))
        }
    }

    private mutating func problem(_ path: String, _ found: String, _ allowed: String) {
        problems.append(
            ConfigurationProblem(file: file, line: locator.line(of: path), key: path, found: found, allowed: allowed))
    }

    private mutating func warn(_ path: String, _ found: String, _ allowed: String) {
        warnings.append(
            ConfigurationProblem(file: file, line: locator.line(of: path), key: path, found: found, allowed: allowed))
    }

    private static func describe(_ value: any TOMLValueConvertible) -> String {
        switch value.type {
        case .string: value.string.map { $0.isEmpty ? "an empty string" : "\"\($0)\"" } ?? "a string"
        case .int: value.int.map { "the number \($0)" } ?? "a number"
        case .double: "a floating-point number"
        case .bool: value.bool.map { "\($0)" } ?? "a boolean"
        case .table: "a table"
        case .array: "a list"
        default: "a date or time"
        }
    }
}

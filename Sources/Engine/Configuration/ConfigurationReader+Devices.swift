import FirmwareEmulator
import SimulatedFirmware
import TOMLKit
import USBCore

extension ConfigurationReader {
    mutating func device(_ entry: TOMLTable, at path: String) -> DeviceConfiguration? {
        checkKeys(
            of: entry, at: path,
            allowed: [
                "name", "speed", "interfaces", "firmware", "board", "flash", "gdb", "uart", "product", "idVendor",
                "idProduct", "serial", "usbip",
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
        let export = deviceExport(entry, at: path)
        let behaviour = behaviour(entry, at: path)
        guard let name, let behaviour, problems.count == before else { return nil }
        return DeviceConfiguration(
            name: name, speed: speed, idVendor: idVendor, idProduct: idProduct, product: product, serialNumber: serial,
            behaviour: behaviour, export: export, line: locator.line(of: path) ?? 0)
    }

    /// Where the board's serial ports are found.
    private mutating func uart(_ entry: TOMLTable, at path: String) -> SerialTarget? {
        let allowed = "\"pty\", \"unix:/path\" or \"tcp:address:port\""
        guard let text = string(entry, "uart", at: path, allowed: allowed) else { return nil }
        do { return try SerialTarget(parsing: text) } catch {
            problem("\(path).uart", "\"\(text)\"", allowed)
            return nil
        }
    }

    mutating func behaviour(_ entry: TOMLTable, at path: String) -> DeviceConfiguration.Behaviour? {
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
            let flash = string(entry, "flash", at: path, allowed: "the path of a file that keeps the flash")
            let ports = "a port of 127.0.0.1, 1 to 65535"
            let gdb = integer(entry, "gdb", at: path, allowed: ports)
            if let gdb, !(1...65535).contains(gdb) { problem("\(path).gdb", "\(gdb)", ports) }
            let uart = uart(entry, at: path)
            guard let image, let board else { return nil }
            if Board.named(board) == nil {
                problem("\(path).board", "\"\(board)\"", Board.all.map(\.name).joined(separator: ", "))
            }
            return .emulated(firmware: image, board: board, flash: flash, gdb: gdb, uart: uart)
        }
        guard entry["interfaces"] != nil else {
            problem(path, "has neither 'interfaces' nor 'firmware'", "one of the two")
            return nil
        }
        let entries = tables(entry["interfaces"], at: "\(path).interfaces")
        if entry["interfaces"]?.array?.count == 0 {
            problem("\(path).interfaces", "is empty", "at least one interface")
        }
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

    mutating func interface(_ entry: TOMLTable, at path: String) -> InterfaceConfiguration? {
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
                case .integer: integer(entry, key.name, at: path, allowed: key.allowed).map { .integer($0) }
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
        return result
    }
}

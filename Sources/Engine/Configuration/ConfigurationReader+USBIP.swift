import TOMLKit
import USBIP

/// `[usbip]`, `[[usbip.listener]]` and a device's `usbip`.
extension ConfigurationReader {
    static let addressRule = "\"ADDRESS:PORT\" such as \"127.0.0.1:3240\" or \"[::1]:3240\", or \"unix:/path\""
    static let networkRule = "networks such as \"127.0.0.0/8\", \"10.1.2.3\" or \"fd00::/8\""

    mutating func usbip(_ section: TOMLTable) -> USBIPConfiguration {
        checkKeys(
            of: section, at: "usbip",
            allowed: ["listen", "allow", "listener", "connections", "imports", "peer_timeout", "guest_address"])
        var result = USBIPConfiguration()
        let listRule = "a list of \(Self.addressRule)"
        let common = networks(section, "allow", at: "usbip")
        for (index, text) in (strings(section, "listen", at: "usbip", allowed: listRule) ?? []).enumerated() {
            let place = "usbip.listen[\(index)]"
            guard let address = ListenAddress(text) else {
                problem(place, "is \"\(text)\"", Self.addressRule)
                continue
            }
            add(.init(address: address, allow: common ?? CIDR.loopback), to: &result, at: place)
            doubt(address, allow: common, at: place)
        }
        for (index, entry) in tables(section["listener"], at: "usbip.listener").enumerated() {
            let place = "usbip.listener[\(index)]"
            guard let listener = listener(entry, common: common, at: place) else { continue }
            add(listener, to: &result, at: "\(place).address")
        }
        result.connections = number(section, "connections", at: "usbip", 1...4096) ?? result.connections
        result.imports = number(section, "imports", at: "usbip", 1...1024) ?? result.imports
        result.peerTimeout = number(section, "peer_timeout", at: "usbip", 2...86_400) ?? result.peerTimeout
        let guestRule = "how guests reach this machine: \"HOST\" or \"HOST:PORT\", such as \"10.0.2.2\""
        if let text = string(section, "guest_address", at: "usbip", allowed: guestRule) {
            if let address = GuestAddress(text) {
                result.guestAddress = address
            } else {
                problem("usbip.guest_address", "is \"\(text)\"", guestRule)
            }
        }
        return result
    }

    private mutating func listener(
        _ entry: TOMLTable, common: [CIDR]?, at path: String
    ) -> USBIPConfiguration.Listener? {
        checkKeys(of: entry, at: path, allowed: ["address", "allow", "tls"])
        let text = required(
            string(entry, "address", at: path, allowed: Self.addressRule), "\(path).address", Self.addressRule)
        let allow = networks(entry, "allow", at: path)
        let tls = tls(entry, at: path)
        guard let text else { return nil }
        guard let address = ListenAddress(text) else {
            problem("\(path).address", "is \"\(text)\"", Self.addressRule)
            return nil
        }
        if case .unix = address, entry["tls"] != nil {
            problem("\(path).tls", "stands at a UNIX socket", "no tls: the socket's file mode says who may connect")
        }
        doubt(address, allow: allow ?? common, at: "\(path).address")
        return .init(address: address, allow: allow ?? common ?? CIDR.loopback, tls: tls)
    }

    private mutating func tls(_ entry: TOMLTable, at path: String) -> USBIPConfiguration.TLS? {
        guard entry["tls"] != nil, let table = table(entry["tls"], at: "\(path).tls") else { return nil }
        let place = "\(path).tls"
        checkKeys(of: table, at: place, allowed: ["certificate", "key", "ca"])
        var files: [String] = []
        for (key, what) in [
            ("certificate", "our certificate"), ("key", "its private key"), ("ca", "the CA that signs clients"),
        ] {
            let rule = "the path of a PEM file: \(what)"
            if let file = required(string(table, key, at: place, allowed: rule), "\(place).\(key)", rule) {
                files.append(file)
            }
        }
        guard files.count == 3 else { return nil }
        return .init(certificate: files[0], key: files[1], ca: files[2])
    }

    mutating func deviceExport(_ entry: TOMLTable, at path: String) -> DeviceExportConfiguration {
        var result = DeviceExportConfiguration()
        guard entry["usbip"] != nil, let table = table(entry["usbip"], at: "\(path).usbip") else { return result }
        let place = "\(path).usbip"
        checkKeys(of: table, at: place, allowed: ["export", "allow"])
        if let value = table["export"] {
            if let flag = value.bool {
                result.isExported = flag
            } else {
                problem("\(place).export", "is \(Self.describe(value))", "true or false")
            }
        }
        result.allow = networks(table, "allow", at: place)
        return result
    }

    // MARK: Values

    /// At least one: a list that lets nobody in is a mistake more often than a wish.
    private mutating func networks(_ table: TOMLTable, _ key: String, at path: String) -> [CIDR]? {
        guard let list = strings(table, key, at: path, allowed: "a list of \(Self.networkRule)") else { return nil }
        if table[key]?.array?.count == 0 {
            problem("\(path).\(key)", "is empty", "at least one of \(Self.networkRule)")
        }
        return list.enumerated().compactMap { index, text in
            if let network = CIDR(text) { return network }
            problem("\(path).\(key)[\(index)]", "is \"\(text)\"", Self.networkRule)
            return nil
        }
    }

    private mutating func number(
        _ table: TOMLTable, _ key: String, at path: String, _ range: ClosedRange<Int>
    ) -> Int? {
        guard let value = table[key] else { return nil }
        if let number = value.int, range.contains(number) { return number }
        problem(
            "\(path).\(key)", "is \(Self.describe(value))", "a number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    private mutating func add(
        _ listener: USBIPConfiguration.Listener, to result: inout USBIPConfiguration, at path: String
    ) {
        let isTaken = result.listeners.contains {
            if case .tcp(_, 0) = $0.address { return false }
            return $0.address == listener.address
        }
        if isTaken {
            problem(path, "\"\(listener.address)\" is the address of an earlier listener", "an address of its own")
        } else if result.listeners.count >= 16 {
            problem(path, "is one listener too many", "at most 16")
        } else {
            result.listeners.append(listener)
        }
    }

    /// An address that the world can reach, and nobody is let in: most likely something is missing.
    private mutating func doubt(_ address: ListenAddress, allow: [CIDR]?, at path: String) {
        guard case .tcp(let host, _) = address, !host.hasPrefix("127."), host != "::1", allow == nil else { return }
        warn(
            path,
            "\"\(address)\" is reachable from other machines, but only loopback may connect: name networks with allow",
            "")
    }
}

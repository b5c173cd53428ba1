import TOMLKit

extension ConfigurationReader {
    mutating func configuration(_ root: TOMLTable) -> Configuration {
        var result = Configuration(file: file)
        checkKeys(of: root, at: "", allowed: ["engine", "vms", "usbip", "service", "device"])
        if let engine = table(root["engine"], at: "engine") {
            checkKeys(of: engine, at: "engine", allowed: ["socket"])
            result.socket = string(engine, "socket", at: "engine", allowed: "the path of a UNIX socket")
        }
        for (index, entry) in tables(root["vms"], at: "vms").enumerated() {
            if let source = vmSource(entry, at: "vms[\(index)]") { result.vms.append(source) }
        }
        if let section = table(root["usbip"], at: "usbip") { result.usbip = usbip(section) }
        result.services = services(root)
        var names: Set<String> = []
        var networks = NetworkUse()
        for (index, entry) in tables(root["device"], at: "device").enumerated() {
            guard let device = device(entry, at: "device[\(index)]") else { continue }
            checkNetworks(of: device, at: "device[\(index)]", &networks)
            checkServices(of: device, at: "device[\(index)]", declared: result.services)
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

    mutating func vmSource(_ entry: TOMLTable, at path: String) -> VMSourceConfiguration? {
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
}

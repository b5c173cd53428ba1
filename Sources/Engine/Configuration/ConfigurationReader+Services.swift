import SimulatedFirmware
import TOMLKit

/// `[[service]]`, and the interfaces that name them.
extension ConfigurationReader {
    mutating func services(_ root: TOMLTable) -> [ServiceDeclaration] {
        var result: [ServiceDeclaration] = []
        for (index, entry) in tables(root["service"], at: "service").enumerated() {
            let path = "service[\(index)]"
            checkKeys(of: entry, at: path, allowed: ["name", "url", "document", "description", "imports"])
            let name = required(
                string(entry, "name", at: path, allowed: Self.nameRule), "\(path).name", Self.nameRule)
            let urls = "\"http://HOST[:PORT][/base]\", \"HOST:PORT\" or \"unix:/path\""
            let url = required(string(entry, "url", at: path, allowed: urls), "\(path).url", urls)
            let documents = "\"http://HOST[:PORT]/path\" or \"file:/path\" of a WSDL or OpenAPI document"
            let document = string(entry, "document", at: path, allowed: documents)
            let description = string(entry, "description", at: path, allowed: "text")
            let imports = strings(entry, "imports", at: path, allowed: "a list of \"http://HOST[:PORT]\"") ?? []
            guard let name, let url else { continue }
            if let name = result.first(where: { $0.name.lowercased() == name.lowercased() })?.name {
                problem("\(path).name", "\"\(name)\" is the name of an earlier service", "a name of its own")
                continue
            }
            do {
                result.append(
                    try ServiceDeclaration(
                        name: name, url: url, document: document, description: description, imports: imports))
            } catch {
                let key =
                    switch error {
                    case .badServiceName: "name"
                    case .badServiceDocument: "document"
                    case .badServiceImport: "imports"
                    default: "url"
                    }
                problem("\(path).\(key)", "\(error)", "")
            }
        }
        return result
    }

    /// A directory can give only what there is; a Web Service's further names are its own unless they are services.
    mutating func checkServices(of device: DeviceConfiguration, at path: String, declared: [ServiceDeclaration]) {
        guard case .simulated(let interfaces) = device.behaviour else { return }
        let known = declared.map { "\"\($0.name)\"" }.joined(separator: ", ")
        for (index, interface) in interfaces.enumerated() where interface.kind == .serviceDirectory {
            for (place, name) in interface.strings("services").enumerated()
            where !declared.contains(where: { $0.name == name }) {
                problem(
                    "\(path).interfaces[\(index)].services[\(place)]", "\"\(name)\" is no [[service]]",
                    known.isEmpty ? "the name of a [[service]]; there is none" : known)
            }
        }
    }
}

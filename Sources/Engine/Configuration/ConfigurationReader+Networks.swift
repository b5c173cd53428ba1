/// Networks are named by their members: whether these agree can be told only with all devices read.
extension ConfigurationReader {
    /// What earlier interfaces have said of a network.
    struct NetworkMembers {
        var kind: InterfaceKind
        var names: [String]
    }

    /// Takes note of a device's network interfaces; a third member of two, or a second kind of network, is a problem.
    mutating func checkNetworks(
        of device: DeviceConfiguration, at path: String, _ networks: inout [String: NetworkMembers]
    ) {
        guard case .simulated(let interfaces) = device.behaviour else { return }
        for (index, interface) in interfaces.enumerated() {
            guard [.pointToPoint, .pointToMultipoint].contains(interface.kind), let name = interface.string("network")
            else { continue }
            let place = "\(path).interfaces[\(index)].network"
            let member = "\(device.name)/\(interface.name)"
            guard let network = networks[name] else {
                networks[name] = NetworkMembers(kind: interface.kind, names: [member])
                continue
            }
            let members = network.names.joined(separator: " and ")
            if network.kind != interface.kind {
                problem(
                    place, "\"\(name)\" is the \(network.kind.rawValue) network of \(members)",
                    "the name of a \(interface.kind.rawValue) network")
            } else if interface.kind == .pointToPoint, network.names.count >= 2 {
                problem(
                    place, "\"\(name)\" has its two members, \(members)",
                    "another network, or kind \"\(InterfaceKind.pointToMultipoint.rawValue)\"")
            } else {
                networks[name]?.names.append(member)
            }
        }
    }
}

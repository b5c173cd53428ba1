/// Networks are named by their members: whether these agree can be told only with all devices read.
extension ConfigurationReader {
    /// What earlier interfaces have said of networks.
    struct NetworkUse {
        var networks: [String: NetworkMembers] = [:]
        /// Who brings a TAP interface.
        var uplinks: [String: String] = [:]
    }

    /// What earlier interfaces have said of a network.
    struct NetworkMembers {
        var kind: InterfaceKind
        var names: [String]
    }

    /// Takes note of a device's network interfaces; a third member of two, or a second kind of network, is a problem.
    mutating func checkNetworks(
        of device: DeviceConfiguration, at path: String, _ use: inout NetworkUse
    ) {
        guard case .simulated(let interfaces) = device.behaviour else { return }
        for (index, interface) in interfaces.enumerated() {
            guard [.pointToPoint, .pointToMultipoint].contains(interface.kind), let name = interface.string("network")
            else { continue }
            let place = "\(path).interfaces[\(index)].network"
            let member = "\(device.name)/\(interface.name)"
            if let uplink = interface.string("uplink") {
                if let other = use.uplinks[uplink] {
                    problem(
                        "\(path).interfaces[\(index)].uplink", "\"\(uplink)\" is the uplink of \(other)",
                        "a TAP interface of its own, or none: one uplink serves a whole network")
                } else {
                    use.uplinks[uplink] = member
                }
            }
            guard let network = use.networks[name] else {
                use.networks[name] = NetworkMembers(kind: interface.kind, names: [member])
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
                use.networks[name]?.names.append(member)
            }
        }
    }
}

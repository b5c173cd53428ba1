import Synchronization

/// The named networks of an engine; one exists while it has members.
public final class Networks: Sendable {
    private let networks = Mutex<[String: VirtualNetwork]>([:])

    public init() {}

    /// The network of a name, made when there is none.
    ///
    /// - Throws: `CatalogueError.networkKind` when it is there and of the other topology.
    func network(_ name: String, _ topology: NetworkTarget.Topology) throws(CatalogueError) -> VirtualNetwork {
        let network = networks.withLock { networks in
            if let network = networks[name], network.topology == topology || !network.memberNames.isEmpty {
                return network
            }
            let network = VirtualNetwork(name: name, topology: topology)
            networks[name] = network
            return network
        }
        guard network.topology == topology else {
            throw .networkKind(name, is: network.topology.rawValue)
        }
        return network
    }
}

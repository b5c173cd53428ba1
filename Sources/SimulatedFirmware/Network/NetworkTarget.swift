/// The network that an interface belongs to, from configuration.
public struct NetworkTarget: Sendable, Equatable {
    /// How frames find their way.
    public enum Topology: String, Sendable, Equatable {
        case pointToPoint = "point-to-point"
        case multipoint = "point-to-multipoint"
    }

    public let topology: Topology
    public let network: String
    /// Whether it may send from other addresses than its own, as a bridge does.
    public let allowsAnySource: Bool
    /// A TAP interface of this machine that becomes a member too.
    public let uplink: String?

    /// - Throws: `CatalogueError` when a key's value is not one of those that are allowed.
    public init(topology: Topology, network: String, sources: String?, uplink: String?) throws(CatalogueError) {
        guard isHost(Substring(network)), !network.contains(":"), network.utf8.count <= 64 else {
            throw .badNetworkName(network)
        }
        guard sources == nil || sources == "own" || sources == "any" else { throw .badSources(sources ?? "") }
        if let uplink {
            guard isHost(Substring(uplink)), !uplink.contains(":"), uplink.utf8.count <= TapUplink.longestName,
                uplink != ".", uplink != ".."
            else { throw .badUplink(uplink) }
        }
        self.uplink = uplink
        self.topology = topology
        self.network = network
        allowsAnySource = sources == "any"
    }
}

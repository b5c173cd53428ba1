import NIOCore

extension ExporterListener {
    /// Whether a peer may connect at all.
    func admits(_ peer: SocketAddress?) -> Bool {
        guard case .tcp = address else { return true }
        guard let peer else { return false }
        return (allow.isEmpty ? CIDR.loopback : allow).contains { $0.contains(peer) }
    }

    /// What operators call a peer.
    func peerName(_ peer: SocketAddress?) -> String {
        guard case .tcp = address else { return address.description }
        guard let peer, let host = peer.ipAddress, let port = peer.port else { return "unknown" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

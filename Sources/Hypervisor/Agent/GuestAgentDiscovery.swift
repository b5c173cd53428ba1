/// Finds the UNIX socket on which QEMU passes words to and from the guest agent: a virtio-serial port of the agent's
/// name, and the socket chardev behind it.
struct GuestAgentDiscovery {
    static let portName = "org.qemu.guest_agent.0"
    /// Devices past this count are not looked at: a bound on what a hostile peer can make us ask.
    private static let limit = 64

    let client: QMPClient

    /// nil when the VM has no such port, or one that we cannot connect to.
    func socketPath() async throws(QMPError) -> String? {
        guard let label = try await chardev() else { return nil }
        let chardevs: JSONValue
        do throws(QMPError) {
            chardevs = try await client.execute("query-chardev")
        } catch {
            guard error.refusal != nil else { throw error }
            return nil
        }
        let found = chardevs.array?.first { $0["label"]?.string == label }
        return found?["filename"]?.string.flatMap(Self.path)
    }

    /// Label of the chardev behind the agent's port.
    private func chardev() async throws(QMPError) -> String? {
        let tree = ControllerDiscovery(client: client)
        var looked = 0
        for parent in ["/machine/peripheral", "/machine/peripheral-anon"] {
            for (name, type) in try await tree.children(parent) where type == "virtserialport" && looked < Self.limit {
                looked += 1
                let path = parent + "/" + name
                guard try await tree.get(path, "name")?.string == Self.portName else { continue }
                return try await tree.get(path, "chardev")?.string
            }
        }
        return nil
    }

    /// `disconnected:unix:/run/a.qga,server=on`; nil when QEMU does not listen there, or not on a UNIX socket.
    static func path(_ filename: String) -> String? {
        let prefix = "disconnected:"
        let text = filename.hasPrefix(prefix) ? String(filename.dropFirst(prefix.count)) : filename
        guard text.hasPrefix("unix:/"), let end = text.firstRange(of: ",server")?.lowerBound else { return nil }
        let path = String(text[..<end].dropFirst(5))
        return (2...107).contains(path.utf8.count) ? path : nil
    }
}

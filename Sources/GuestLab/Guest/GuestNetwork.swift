/// A guest's network card, if it has one: a virtio card in QEMU's user network, which needs no privilege.
public enum GuestNetwork: Sendable, Equatable {
    case none
    /// The guest is 10.0.2.15; 10.0.2.2 is the host's loopback, and the guest may reach whatever the host reaches.
    case user
    /// The guest reaches nothing but what is forwarded.
    case restricted([GuestForward])

    /// The guest's own address.
    public static let guestAddress = "10.0.2.15"
    /// What the host's 127.0.0.1 is called in a guest with ``user``.
    public static let hostAddress = "10.0.2.2"

    var kernelArguments: [String] { self == .none ? [] : [GuestScripts.networkArgument] }

    var qemuArguments: [String] {
        switch self {
        case .none: ["-nic", "none"]
        case .user: card("user,id=lab-net,ipv6=off")
        case .restricted(let forwards):
            card((["user,id=lab-net,ipv6=off,restrict=on"] + forwards.map(\.option)).joined(separator: ","))
        }
    }

    /// Without an option ROM, which is another Debian package and no use to a guest with a kernel.
    private func card(_ backend: String) -> [String] {
        ["-netdev", backend, "-device", "virtio-net-pci,netdev=lab-net,romfile="]
    }

    func validate() throws {
        guard case .restricted(let forwards) = self else { return }
        for forward in forwards { try forward.validate() }
    }
}

/// A TCP port in a guest's restricted network that leads to a socket of the host, by a `socat` per connection.
public struct GuestForward: Sendable, Equatable {
    public enum Target: Sendable, Equatable {
        case unix(path: String)
        case tcp(host: String, port: Int)
    }

    /// In the guest's network; neither the guest's nor QEMU's own.
    public static let address = "10.0.2.100"

    /// What the guest connects to at ``address``.
    public let port: Int
    public let target: Target

    public init(port: Int, to target: Target) {
        self.port = port
        self.target = target
    }

    /// QEMU splits the command by the shell's rules of quoting, without a shell, after its own of commas.
    var option: String {
        let peer =
            switch target {
            case .unix(let path): "UNIX-CONNECT:\(path)"
            case .tcp(let host, let port): "TCP:\(host):\(port),nodelay"
            }
        return "guestfwd=" + QEMUCommandLine.escape("tcp:\(Self.address):\(port)-cmd:socat - \(peer)")
    }

    func validate() throws {
        guard (1...65535).contains(port) else { throw LabError.configuration("port \(port): 1 to 65535 is allowed") }
        let words =
            switch target {
            case .unix(let path): path
            case .tcp(let host, _): host
            }
        // What socat or the splitting into words would take for something else.
        guard !words.isEmpty, words.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !words.contains(where: ",!'\"\\".contains)
        else { throw LabError.configuration("“\(words)” cannot be reached through socat") }
        guard HostTool.path(of: "socat") != nil else { throw LabError.missingPackages(["socat"]) }
    }
}

import USBClasses

/// Why a configured interface cannot be: each case names the thing, what was found and what is allowed.
public enum CatalogueError: Error, Equatable, CustomStringConvertible {
    case unknownSerialTarget(String)
    case badUpstream(String, reason: String)
    case noUpstreams(interface: String)
    case badServiceName(String)
    case badServiceDocument(String)
    case badServiceImport(String)
    case badByteService(String)
    case serviceNamedTwice(String)
    case badLibvirtPolicy(String)
    case badLibvirtSocket(String)
    case writableLibvirtSocket(String)
    case pathTooLong(String, limit: Int)
    case notASocket(path: String)
    case inUse(String)
    case cannotListen(String, reason: String)
    case cannotOpenPty(reason: String)
    case badTone(Int)
    case badStorageMode(String)
    case badStorageImage(String, reason: String)
    case unknownLayout(String)
    case badPrinterTarget(String, reason: String)
    case badIPPTarget(String, reason: String)
    case badIPPConnections(Int)
    case badNetworkName(String)
    case badSources(String)
    case badUplink(String)
    case cannotOpenUplink(String, reason: String)
    case networkFull(String, members: [String])
    case networkKind(String, is: String)

    public var description: String {
        switch self {
        case .unknownSerialTarget(let found):
            "found '\(found)'; allowed: pty, unix:/path, tcp:ADDRESS:PORT"
        case .badUpstream(let found, let reason):
            "upstream '\(found)': \(reason); allowed: HOST:PORT, unix:/path, http://HOST[:PORT][/base]"
        case .noUpstreams(let interface):
            "interface '\(interface)': upstreams is empty; at least one HOST:PORT is needed"
        case .badServiceName(let found):
            "service '\(found)': a name consists of letters, digits, '.', '-' and '_'"
        case .badServiceDocument(let found):
            "document '\(found)'; allowed: http://HOST[:PORT]/path[?query] or file:/path"
        case .badServiceImport(let found):
            "imports has '\(found)'; allowed: http://HOST[:PORT]"
        case .badByteService(let found):
            "found '\(found)'; allowed: HOST:PORT or unix:/path, after NAME= in a list of streams"
        case .serviceNamedTwice(let found):
            "service '\(found)' is named twice in this interface"
        case .badLibvirtPolicy(let found):
            "found '\(found)'; allowed: read-only, full"
        case .badLibvirtSocket(let found):
            "found '\(found)'; allowed: unix:/path of a libvirt daemon's socket"
        case .writableLibvirtSocket(let found):
            "found '\(found)' with the policy read-only; allowed: the daemon's read-only socket, whose name ends in -ro, or policy = \"full\""
        case .pathTooLong(let path, let limit):
            "'\(path)': a socket path has at most \(limit) bytes"
        case .notASocket(let path):
            "'\(path)' exists and is not a socket; move it away or choose another path"
        case .inUse(let what):
            "'\(what)' is in use by another program"
        case .cannotListen(let what, let reason):
            "cannot listen on '\(what)': \(reason)"
        case .cannotOpenPty(let reason):
            "cannot open a pty: \(reason)"
        case .badTone(let found):
            "tone of \(found) Hz; allowed: \(TestTone.frequencies.lowerBound) to \(TestTone.frequencies.upperBound)"
        case .badStorageMode(let found):
            "mode '\(found)'; allowed: \(StorageMode.allCases.map(\.rawValue).joined(separator: ", "))"
        case .badStorageImage(let path, let reason):
            "image '\(path)': \(reason)"
        case .unknownLayout(let found):
            "layout '\(found)'; allowed: \(KeyboardLayout.allCases.map(\.rawValue).joined(separator: ", "))"
        case .badPrinterTarget(let found, let reason):
            "'\(found)': \(reason); allowed: spool:/folder, tcp:HOST:PORT"
        case .badIPPTarget(let found, let reason):
            "'\(found)': \(reason); allowed: ipp://HOST[:PORT]/path of a printer, http://HOST:PORT of a whole server"
        case .badIPPConnections(let found):
            "connections = \(found); allowed: \(IPPPrinterTarget.connections.lowerBound) to \(IPPPrinterTarget.connections.upperBound)"
        case .badNetworkName(let found):
            "network '\(found)': a name consists of 1 to 64 letters, digits, '.', '-' and '_'"
        case .badSources(let found):
            "sources '\(found)'; allowed: own, any"
        case .badUplink(let found):
            "uplink '\(found)': the name of a TAP interface consists of 1 to \(TapUplink.longestName) letters, digits, '.', '-' and '_'"
        case .cannotOpenUplink(let name, let reason):
            "uplink '\(name)': \(reason); it needs a TAP interface that nothing else uses, and the right to it"
        case .networkFull(let network, let members):
            "network '\(network)' is point-to-point and has its two members: \(members.joined(separator: ", "))"
        case .networkKind(let network, let kind):
            "network '\(network)' is a \(kind) network"
        }
    }
}

/// What a host says on the watch channel, one JSON object a line.
enum WatchMessage: Equatable {
    case hello(version: Int)
    case refused(reason: String)
    case attach(busID: String, name: String)
    case detach(busID: String)
    case ping
    /// Something from a later version.
    case unknown

    /// Nil for what is no JSON object or lacks what its kind needs.
    init?(line: [UInt8]) {
        guard let value = try? JSONValue(parsing: line), let message = value.firstMember else { return nil }
        let (kind, body) = (message.name, message.value)
        func text(_ name: String) -> String? { body[name]?.string.map { SystemFile.printable($0.utf8) } }
        switch kind {
        case "hello":
            guard let version = body["version"]?.integer else { return nil }
            self = .hello(version: version)
        case "refused": self = .refused(reason: text("reason") ?? "no reason given")
        case "attach":
            guard let busID = text("busid"), !busID.isEmpty, busID.utf8.count <= 32, !busID.contains(" ") else {
                return nil
            }
            self = .attach(busID: busID, name: text("name") ?? busID)
        case "detach":
            guard let busID = text("busid") else { return nil }
            self = .detach(busID: busID)
        case "ping": self = .ping
        default: self = .unknown
        }
    }
}

/// What a guest says on the watch channel.
enum WatchReply: Equatable {
    case watch(guest: String)
    case attached(busID: String, port: Int)
    case failed(busID: String, reason: String)
    /// Also said unasked, when the guest itself gave the device back.
    case detached(busID: String)
    case pong

    static let version = 1

    /// With its line feed.
    var line: [UInt8] {
        let (kind, members): (String, [(String, JSONValue)]) =
            switch self {
            case .watch(let guest): ("watch", [("version", .number(Self.version)), ("guest", .string(guest))])
            case .attached(let busID, let port): ("attached", [("busid", .string(busID)), ("port", .number(port))])
            case .failed(let busID, let reason): ("failed", [("busid", .string(busID)), ("reason", .string(reason))])
            case .detached(let busID): ("detached", [("busid", .string(busID))])
            case .pong: ("pong", [])
            }
        return Array((JSONValue.object([(kind, .object(members))]).line + "\n").utf8)
    }
}

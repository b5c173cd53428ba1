/// What a port of the virtual host controller is attached to. The kernel does not know, so it is kept in a file for each
/// port, where and how the `usbip` tool keeps it: each tool shows and undoes what the other did.
public struct AttachmentRecord: Equatable, Sendable {
    public var host: String
    public var port: String
    public var busID: String

    public init(host: String, port: String, busID: String) {
        self.host = host
        self.port = port
        self.busID = busID
    }

    /// Takes `HOST PORT BUSID`.
    init?(line: String) {
        let words = line.split(separator: " ")
        guard words.count == 3 else { return nil }
        self.init(host: String(words[0]), port: String(words[1]), busID: String(words[2]))
    }

    var line: String { "\(host) \(port) \(busID)" }
}

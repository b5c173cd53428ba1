/// Where devices are offered: "HOST" or "HOST:PORT", "[::1]:3240"; the port is 3240 unless given.
public struct ExporterAddress: Equatable, Sendable, CustomStringConvertible {
    /// IANA: usbip.
    public static let defaultPort: UInt16 = 3240

    public let host: String
    public let port: UInt16

    public init(host: String, port: UInt16 = ExporterAddress.defaultPort) {
        self.host = host
        self.port = port
    }

    /// nil for what is no host with an optional port; whether the host exists, connecting tells.
    public init?(_ text: String) {
        guard text.utf8.count <= 255, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            rest = text[colon...]
        } else {
            // A bare IPv6 address has several colons and no port.
            host = text[...]
            rest = ""
        }
        guard !host.isEmpty else { return nil }
        guard !rest.isEmpty else {
            self.init(host: String(host))
            return
        }
        guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

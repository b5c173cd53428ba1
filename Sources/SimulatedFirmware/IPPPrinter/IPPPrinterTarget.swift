import NIOCore

/// The IPP printer behind an interface: `ipp://HOST[:PORT]/path` gives the guest this one printer, at the path where a USB
/// printer has it; `http://HOST[:PORT]` gives it a whole server, which is a printer's own, with pages and scanner.
public struct IPPPrinterTarget: Sendable, Equatable, Hashable {
    /// How many USB interfaces a printer may have: hosts want two at least, and each takes a pair of endpoints.
    static let connections = 2...4
    /// Where guests look for the printer (IPP Everywhere section 3).
    static let guestPath = "/ipp/print"

    public let upstream: Upstream
    /// Path of the printer; nil for a whole server.
    public let path: String?

    /// - Throws: `CatalogueError.badIPPTarget`.
    public init(parsing text: String) throws(CatalogueError) {
        func bad(_ reason: String) -> CatalogueError { .badIPPTarget(text, reason: reason) }
        guard let separator = text.firstRange(of: "://") else { throw bad("it is not a URL") }
        let isPrinter: Bool
        switch text[..<separator.lowerBound] {
        case "ipp": isPrinter = true
        case "http": isPrinter = false
        case "ipps", "https": throw bad("TLS to printers is not supported")
        case let scheme: throw bad("'\(scheme)' is not a scheme of printers")
        }
        let rest = text[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let (authority, path) = (rest[..<slash], rest[slash...])
        if let (host, port) = hostAndPort(authority) {
            upstream = Upstream(endpoint: .tcp(host: host, port: port), text: text)
        } else if isHost(authority), !authority.contains(":") {
            upstream = Upstream(endpoint: .tcp(host: String(authority), port: isPrinter ? 631 : 80), text: text)
        } else {
            throw bad("'\(authority)' is not HOST[:PORT]")
        }
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !path.contains("?"), !path.contains("#"),
            Self.staysBelow(path)
        else { throw bad("'\(path)' is not a path") }
        if isPrinter {
            guard path.utf8.count > 1, !path.hasSuffix("/") else { throw bad("it names no printer of the server") }
            self.path = String(path)
        } else {
            guard path.isEmpty || path == "/" else { throw bad("a whole server has no path") }
            self.path = nil
        }
    }

    /// The printer as IPP names it.
    public var printerURI: String { authority + (path ?? Self.guestPath) }

    private var authority: String {
        switch upstream.endpoint {
        case .tcp(let host, let port): "ipp://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix: "ipp://localhost"
        }
    }

    /// The server's name for a printer or job that a guest names, by whatever host; nil for what it was not given.
    func uri(for uri: String) -> String? {
        guard let separator = uri.firstRange(of: "://"),
            ["ipp", "ipps", "http", "https"].contains(uri[..<separator.lowerBound].lowercased()),
            uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !uri.contains("#"), !uri.contains("?"),
            let slash = uri[separator.upperBound...].firstIndex(of: "/")
        else { return nil }
        return path(for: String(uri[slash...])).map { authority + $0 }
    }

    /// The server's path for what a guest asks for; nil for what it was not given.
    ///
    /// - Parameter target: path and query, or an absolute URL.
    func path(for target: String) -> String? {
        var asked = target[...]
        if !asked.hasPrefix("/") {
            // RFC 9112 section 3.2.2: servers take the absolute form, too.
            guard asked.lowercased().hasPrefix("http://") else { return nil }
            let rest = asked.dropFirst(7)
            asked = rest.firstIndex(where: { $0 == "/" || $0 == "?" }).map { rest[$0...] } ?? "/"
            guard asked.hasPrefix("/") else { return nil }
        }
        guard let path else { return asked.hasPrefix(ServiceDirectory.path) ? nil : String(asked) }
        guard Self.staysBelow(asked.prefix { $0 != "?" }) else { return nil }
        // Also by the printer's own path, which its attributes tell.
        for place in [Self.guestPath, path] where asked.hasPrefix(place) {
            let rest = asked.dropFirst(place.count)
            if rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix("?") { return path + rest }
        }
        return nil
    }

    /// Whether no segment leads out of where the path begins, in whatever way a server may read it.
    private static func staysBelow(_ path: Substring) -> Bool {
        let plain = path.lowercased().replacing("%2e", with: ".")
        return !plain.contains("%2f") && !plain.contains("%5c") && !plain.contains("\\")
            && plain.split(separator: "/").allSatisfy {
                $0.prefix { $0 != ";" } != "." && $0.prefix { $0 != ";" } != ".."
            }
    }
}

import NIOCore

/// A network of IPv4 or IPv6 addresses: `127.0.0.0/8`, `fd00::/8`, or a single address.
public struct CIDR: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes; those beyond the prefix are zero.
    private let network: [UInt8]
    public let prefixLength: Int

    public static let loopback = [
        CIDR(network: [127, 0, 0, 0], prefixLength: 8), CIDR(network: v6Loopback, prefixLength: 128),
    ]
    private static let v6Loopback = [UInt8](repeating: 0, count: 15) + [1]

    private init(network: [UInt8], prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }

    /// nil unless `text` is a numeric address, with or without `/` and a prefix length that its family allows.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = try? SocketAddress(ipAddress: String(first), port: 0),
            let bytes = Self.bytes(of: address)
        else { return nil }
        var length = bytes.count * 8
        if parts.count == 2 {
            let digits = parts[1]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let asked = Int(digits),
                asked <= length
            else { return nil }
            length = asked
        }
        self.init(network: Self.masked(bytes, length), prefixLength: length)
    }

    /// UNIX sockets are in no network.
    public func contains(_ address: SocketAddress) -> Bool {
        guard let bytes = Self.bytes(of: address) else { return false }
        return bytes.count == network.count && Self.masked(bytes, prefixLength) == network
    }

    public var description: String {
        let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: network), port: 0)
        return "\(address?.ipAddress ?? "?")/\(prefixLength)"
    }

    /// An IPv4 address that a dual-stack listener shows as ::ffff:a.b.c.d counts as IPv4.
    private static func bytes(of address: SocketAddress) -> [UInt8]? {
        switch address {
        case .v4(let address):
            return withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            return isMapped ? Array(bytes[12...]) : bytes
        case .unixDomainSocket: return nil
        }
    }

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(8, max(0, length - index * 8))
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
    }
}

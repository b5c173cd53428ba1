import NIOCore

/// The 32 bytes that name a device on an exporter, such as `1-1`.
///
/// All 32 are kept, since a reply echoes them; a name of exactly 32 characters has no terminator.
public struct BusID: Sendable, Hashable, CustomStringConvertible {
    public static let length = 32

    /// Exactly 32 bytes.
    public let bytes: [UInt8]

    /// nil when `text` has more than 32 bytes, none, or a NUL in it.
    public init?(_ text: String) {
        let utf8 = Array(text.utf8)
        guard (1...Self.length).contains(utf8.count), !utf8.contains(0) else { return nil }
        bytes = utf8 + [UInt8](repeating: 0, count: Self.length - utf8.count)
    }

    init(thirtyTwo bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Up to the first NUL; what is not UTF-8 is repaired, so this is for people and for look-up, not for echoing.
    public var description: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
}

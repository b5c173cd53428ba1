/// An IEEE 802 address of six bytes.
public struct MACAddress: Sendable, Hashable, CustomStringConvertible {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value & 0xFFFF_FFFF_FFFF }

    /// Six bytes of a frame from `offset`; nil when they are not there.
    init?(_ frame: [UInt8], at offset: Int) {
        guard frame.count >= offset + 6 else { return nil }
        value = frame[offset..<offset + 6].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A stable, locally administered unicast address for an interface of a device (FNV-1a of both names).
    public init(device: String, interface: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in Array(device.utf8) + [0] + Array(interface.utf8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= hash >> 40
        self.init(0x0200_0000_0000 | hash & 0xFF_FFFF_FFFF)
    }

    public var isMulticast: Bool { value >> 40 & 1 == 1 }

    var bytes: [UInt8] { (0..<6).map { UInt8(value >> (40 - 8 * $0) & 0xFF) } }

    /// Twelve hexadecimal digits, as iMACAddress wants them.
    public var digits: String { bytes.map(Self.hex).joined() }
    public var description: String { bytes.map { Self.hex($0).lowercased() }.joined(separator: ":") }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16, uppercase: true)
        return text.count == 1 ? "0" + text : text
    }
}

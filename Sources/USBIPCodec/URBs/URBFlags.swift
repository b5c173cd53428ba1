/// `transfer_flags` of a URB: Linux's `URB_…` bits. Bits not named here are kept and mean nothing to us.
public struct URBFlags: OptionSet, Sendable, Equatable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A short IN transfer ends with -EREMOTEIO, its data delivered.
    @inlinable public static var shortNotOK: URBFlags { URBFlags(rawValue: 0x0001) }
    /// Isochronous: as soon as possible; `start_frame` means nothing.
    public static let isochronousASAP = URBFlags(rawValue: 0x0002)
    /// A bulk OUT transfer of a multiple of the packet size ends with a zero-length packet.
    @inlinable public static var zeroPacket: URBFlags { URBFlags(rawValue: 0x0040) }
    public static let noInterrupt = URBFlags(rawValue: 0x0080)
    public static let directionIn = URBFlags(rawValue: 0x0200)
}

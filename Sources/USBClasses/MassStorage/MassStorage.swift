/// Numbers of the mass storage class (Mass Storage Overview 1.4, Bulk-Only Transport 1.0).
public enum MassStorage {
    public static let interfaceClass: UInt8 = 0x08
    /// bInterfaceSubClass: SCSI transparent command set.
    public static let scsi: UInt8 = 0x06
    /// bInterfaceProtocol: bulk-only transport.
    public static let bulkOnly: UInt8 = 0x50

    /// bRequest of class requests (Bulk-Only Transport sections 3.1 and 3.2).
    public enum Request: UInt8, Sendable {
        case reset = 0xFF
        case getMaxLUN = 0xFE
    }
}

import USBIPCodec

/// Bounds of one importer's session.
public struct SessionLimits: Sendable, Equatable {
    public var codec: USBIPLimits
    /// URBs pending at once; one more ends with -ENOMEM at once. At most 4096.
    public var maximumPendingURBs: Int
    /// OUT bytes held plus IN bytes asked for in pending URBs; a URB beyond it ends with -ENOMEM at once.
    public var maximumPendingBytes: Int
    /// Outgoing bytes gathered before they are handed to the socket within one read cycle: few enough for the importer to
    /// read one write while the next is made, and many enough to be worth a system call. 96 KiB was the fastest of 40, 64,
    /// 96, 128 and 256 KiB for replies of 16 KiB.
    public var writeBatch: Int
    /// Socket write buffer: above the high mark nothing more is taken from the importer until it falls below the low one.
    public var writeBufferLowMark: Int
    public var writeBufferHighMark: Int

    /// Bytes taken from the socket at once, at most: 16 OUT transfers of 16 KiB with their headers fit.
    public static let largestRead = 512 << 10

    public init(
        codec: USBIPLimits = USBIPLimits(), maximumPendingURBs: Int = 4096, maximumPendingBytes: Int = 64 << 20,
        writeBatch: Int = 96 << 10, writeBufferLowMark: Int = 256 << 10, writeBufferHighMark: Int = 1 << 20
    ) {
        self.codec = codec
        self.maximumPendingURBs = maximumPendingURBs
        self.maximumPendingBytes = maximumPendingBytes
        self.writeBatch = writeBatch
        self.writeBufferLowMark = writeBufferLowMark
        self.writeBufferHighMark = writeBufferHighMark
    }
}

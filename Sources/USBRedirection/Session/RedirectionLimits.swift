import NIOCore

/// Bounds of one session.
public struct RedirectionLimits: Sendable, Equatable {
    public var packets: PacketLimits
    /// OUT bytes held plus IN bytes asked for in pending transfers; a transfer beyond it fails with an I/O error.
    public var maximumPendingBytes: Int
    /// Outgoing bytes gathered before they are handed to the socket within one read cycle.
    public var writeBatch: Int
    /// Pause between device_disconnect and the next device_connect towards a peer that does not acknowledge.
    ///
    /// The protocol has no other barrier then: requests for the old device that are still under way must not reach the
    /// new one. QEMU acknowledges; it also sends nothing between detach and attach, and itself waits 200 ms there.
    public var reconnectDelay: TimeAmount
    /// Socket write buffer: above the high mark nothing more is taken from the guest until it falls below the low one.
    public var writeBufferLowMark: Int
    public var writeBufferHighMark: Int

    public init(
        packets: PacketLimits = PacketLimits(), maximumPendingBytes: Int = 64 << 20, writeBatch: Int = 256 << 10,
        reconnectDelay: TimeAmount = .milliseconds(50), writeBufferLowMark: Int = 256 << 10,
        writeBufferHighMark: Int = 1 << 20
    ) {
        self.packets = packets
        self.maximumPendingBytes = maximumPendingBytes
        self.writeBatch = writeBatch
        self.reconnectDelay = reconnectDelay
        self.writeBufferLowMark = writeBufferLowMark
        self.writeBufferHighMark = writeBufferHighMark
    }
}

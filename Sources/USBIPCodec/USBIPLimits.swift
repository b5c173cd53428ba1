/// Bounds on what a peer may send.
public struct USBIPLimits: Sendable, Equatable {
    /// Data of one OUT transfer, and room of one IN transfer, in bytes.
    public var maximumTransferLength: Int
    /// Isochronous packets of one URB.
    public var maximumPackets: Int
    /// Devices in one list, for clients.
    public var maximumListedDevices: Int

    public init(
        maximumTransferLength: Int = 16 << 20, maximumPackets: Int = 1024, maximumListedDevices: Int = 4096
    ) {
        self.maximumTransferLength = maximumTransferLength
        self.maximumPackets = maximumPackets
        self.maximumListedDevices = maximumListedDevices
    }
}

import USBCore
import USBDevice

/// An isochronous endpoint between start_ and stop_iso_stream.
///
/// The device keeps the pace: an IN stream always has transfers parked there, whose packets are pushed as they end. An
/// OUT stream gathers the guest's packets into transfers, and begins to play when half of its room is full.
struct IsochronousStream {
    let endpoint: AnnouncedEndpoint
    let packetsPerTransfer: Int
    /// Transfers that may be under way at once.
    let transferCount: Int
    /// In the device.
    var underWay: [TransferID] = []
    /// Ids of pushed packets are ours, from 0; what is dropped has one too.
    var nextPacketID: UInt64 = 0
    /// OUT packets that wait for their transfer to fill.
    var gathered: [[UInt8]] = []
    /// Whether OUT packets go on to the device; not before half of the room is full, at first and after it ran dry.
    var isPlaying = false

    /// Packets of one stream, whatever a guest asks for; QEMU asks for 512 at most.
    static let maximumPackets = 1024

    /// What is under way of an IN stream: the device always has a next transfer while the last one ends.
    private static let inTransferCount = 2

    /// nil when a guest asks for nothing.
    init?(endpoint: AnnouncedEndpoint, packetsPerTransfer: UInt8, transfers: UInt8) {
        guard packetsPerTransfer > 0, transfers > 0 else { return nil }
        self.endpoint = endpoint
        self.packetsPerTransfer = Int(packetsPerTransfer)
        transferCount =
            endpoint.address.direction == .in
            ? Self.inTransferCount : min(Int(transfers), Self.maximumPackets / Int(packetsPerTransfer))
    }

    /// OUT: a packet more would not fit.
    var isFull: Bool { underWay.count * packetsPerTransfer + gathered.count >= transferCount * packetsPerTransfer }

    /// OUT: enough has been gathered to begin.
    var mayBegin: Bool { gathered.count >= max(packetsPerTransfer, transferCount * packetsPerTransfer / 2) }

    /// The packets of an IN transfer: each may be as large as the endpoint's, back to back.
    var inPackets: [IsochronousPacket] {
        (0..<packetsPerTransfer).map {
            IsochronousPacket(offset: $0 * endpoint.maxPacketSize, length: endpoint.maxPacketSize)
        }
    }

    /// The next OUT transfer; nil until its packets are there.
    mutating func takeOut() -> (data: [UInt8], packets: [IsochronousPacket])? {
        guard gathered.count >= packetsPerTransfer else { return nil }
        var data: [UInt8] = []
        var packets: [IsochronousPacket] = []
        for bytes in gathered.prefix(packetsPerTransfer) {
            packets.append(IsochronousPacket(offset: data.count, length: bytes.count))
            data += bytes
        }
        gathered.removeFirst(packetsPerTransfer)
        return (data, packets)
    }
}

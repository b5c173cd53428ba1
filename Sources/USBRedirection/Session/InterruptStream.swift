import NIOCore
import USBCore

/// Interrupt IN polling of one endpoint between start_ and stop_interrupt_receiving.
///
/// One IN transfer is parked in the device; its data is pushed to the guest, then, not before the endpoint's interval
/// has passed and the peer reads, the next one is parked.
struct InterruptStream {
    let endpoint: AnnouncedEndpoint
    let transferID: TransferID
    /// Ids of pushed packets are ours, from 0.
    var nextPacketID: UInt64 = 0
    var isParked = false
    /// When the interval since the last parking is over.
    var nextParking: NIODeadline = .distantPast
    var timer: Scheduled<Void>?

    init(endpoint: AnnouncedEndpoint) {
        self.endpoint = endpoint
        transferID = Self.firstTransferID + TransferID(endpoint.address.index)
    }

    var interval: TimeAmount { .microseconds(Int64(endpoint.intervalMicroseconds)) }

    /// Transfer ids from here on are ours: no guest's request may use them.
    static let firstTransferID: TransferID = .max - 31

    /// The index of the endpoint whose stream `id` belongs to; nil for a guest's id.
    static func endpointIndex(of id: TransferID) -> Int? {
        id >= firstTransferID ? Int(id - firstTransferID) : nil
    }
}

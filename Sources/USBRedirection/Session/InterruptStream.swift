import NIOCore
import USBCore

/// Interrupt IN polling of one endpoint between start_ and stop_interrupt_receiving.
///
/// One IN transfer is parked in the device; its data is pushed to the guest, then, not before the endpoint's interval
/// has passed and the peer reads, the next one is parked.
struct InterruptStream {
    let endpoint: AnnouncedEndpoint
    /// Ids of pushed packets are ours, from 0.
    var nextPacketID: UInt64 = 0
    /// The transfer that is parked in the device.
    var parked: TransferID?
    /// When the interval since the last parking is over.
    var nextParking: NIODeadline = .distantPast
    var timer: Scheduled<Void>?

    init(endpoint: AnnouncedEndpoint) {
        self.endpoint = endpoint
    }

    var interval: TimeAmount { .microseconds(Int64(endpoint.intervalMicroseconds)) }

    /// As many as there are interrupt IN endpoints; as many slots are kept free of guests' requests.
    static let maximumCount = 15
}

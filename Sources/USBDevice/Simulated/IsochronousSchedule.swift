import DequeModule
import USBCore

/// When the transfers that wait at an isochronous endpoint take place: back to back, a packet each service interval.
///
/// A host that submits late goes on where it had ended, as long as that is not long ago, so that a late event loop or
/// network costs nothing of the rate. After a longer pause it begins at the present, and what the device had meanwhile is
/// lost, as at a real bus.
struct IsochronousSchedule {
    /// How far a host may lag behind and still miss nothing, in microframes: half a second.
    static let maximumLag = 4000
    /// Packets that may wait; a transfer beyond them fails.
    static let maximumQueuedPackets = 16 * Transfer.maximumPackets

    /// One transfer's place in time.
    struct Slot {
        /// Of its first packet, counted from the endpoint's first transfer.
        var firstInterval: Int
        /// Microframe in which its last interval is over.
        var end: Int
        var packets: Int
    }

    /// Service interval in microframes.
    let step: Int
    /// Of the queue's transfers, in the same order.
    private(set) var slots: Deque<Slot> = []
    private(set) var queuedPackets = 0
    /// The timer for the first slot's end.
    var timer: FrameTimer?
    /// Where interval 0 began.
    private var origin: Int?
    /// Where the next transfer begins, unless that is too long ago.
    private var next: Int?

    init(_ endpoint: EndpointDescriptor, at speed: Speed) {
        step = endpoint.intervalUnits(at: speed) * (speed < .high ? 8 : 1)
    }

    /// Places a transfer after those that wait. One without packets takes an interval too: hosts that submit it again at
    /// once would otherwise spin.
    mutating func append(packets: Int, now: Int) {
        var start = (now / step + 1) * step
        if let next, next >= now - Self.maximumLag { start = next }
        let origin = origin ?? start
        self.origin = origin
        let end = start + max(1, packets) * step
        slots.append(Slot(firstInterval: (start - origin) / step, end: end, packets: packets))
        queuedPackets += packets
        next = end
    }

    mutating func removeFirst() -> Slot? {
        guard let slot = slots.popFirst() else { return nil }
        queuedPackets -= slot.packets
        return slot
    }

    /// Forgets a transfer that the host has taken back; the others keep their time.
    mutating func remove(at index: Int) {
        queuedPackets -= slots.remove(at: index).packets
        if slots.isEmpty { clear() }
    }

    /// Forgets all; the next transfer begins at the present.
    mutating func clear() {
        slots = []
        queuedPackets = 0
        next = nil
        timer?.cancel()
        timer = nil
    }
}

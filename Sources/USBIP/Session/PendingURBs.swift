import USBCore
import USBIPCodec

/// A URB that the device has.
struct PendingURB {
    var sequenceNumber: UInt32
    var address: EndpointAddress
    /// IN: room at the importer. OUT: bytes given.
    var length: Int
    var shortNotOK = false
    /// A request that changes which endpoints there are.
    var changesEndpoints = false
    /// CMD_UNLINK has come; the answer depends on whether the device was faster.
    var isUnlinking = false
    /// Request's descriptors; nil unless the endpoint is isochronous.
    var packets: [IsochronousDescriptor]?
    /// Bytes that it counts for in the session's budget.
    var cost: Int { length }
}

/// URBs by dense transfer id: slot in the low 12 bits, above them a count, so that no two transfers share an id.
struct PendingURBs {
    static let slotBits: TransferID = 12
    static let capacity = 1 << 12

    private var slots: [PendingURB?] = []
    private var ids: [TransferID] = []
    private var free: [Int] = []
    private var uses: TransferID = 0
    private(set) var count = 0

    /// nil when all slots are in use.
    mutating func insert(_ urb: PendingURB) -> TransferID? {
        uses &+= 1
        let slot: Int
        if let last = free.popLast() {
            slot = last
        } else {
            guard slots.count < Self.capacity else { return nil }
            slot = slots.count
            slots.append(nil)
            ids.append(0)
        }
        let id = uses << Self.slotBits | TransferID(truncatingIfNeeded: slot)
        slots[slot] = urb
        ids[slot] = id
        count += 1
        return id
    }

    mutating func remove(_ id: TransferID) -> PendingURB? {
        let slot = Int(truncatingIfNeeded: id) & (Self.capacity - 1)
        guard slot < slots.count, ids[slot] == id, let urb = slots[slot] else { return nil }
        slots[slot] = nil
        free.append(slot)
        count -= 1
        return urb
    }

    /// For CMD_UNLINK: rare, and at most 4096 to look at. An importer that reuses a pending number gets either.
    func id(ofSequenceNumber number: UInt32) -> TransferID? {
        guard let slot = slots.firstIndex(where: { $0?.sequenceNumber == number }) else { return nil }
        return ids[slot]
    }

    mutating func markUnlinking(_ id: TransferID) {
        slots[Int(truncatingIfNeeded: id) & (Self.capacity - 1)]?.isUnlinking = true
    }

    mutating func removeAll() { self = PendingURBs() }
}

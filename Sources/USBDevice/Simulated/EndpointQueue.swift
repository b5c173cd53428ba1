import DequeModule
import USBCore

/// The transfers that wait at one endpoint, and for IN endpoints the bytes that wait for transfers.
final class EndpointQueue {
    /// Bytes of a function on their way into IN transfers.
    private struct Chunk {
        var bytes: [UInt8]
        var offset = 0
        var endsMessage: Bool
    }

    let owner: Composition.EndpointOwner
    // As in the device, without run-time exclusivity checks: nothing outside is called while these are accessed.
    @exclusivity(unchecked) var transfers: Deque<Transfer> = []
    /// OUT transfers that the function has taken, ever: how the pump sees progress.
    @exclusivity(unchecked) var takenCount = 0
    @exclusivity(unchecked) var isHalted = false
    @exclusivity(unchecked) private(set) var queuedBytes = 0
    @exclusivity(unchecked) private var chunks: Deque<Chunk> = []
    /// Ends of messages in `chunks`.
    @exclusivity(unchecked) private var endsQueued = 0
    /// A stream ran dry just where a transfer was full: a host that joins transfers (UHCI's are single packets) would
    /// wait for more, so a zero-length packet tells it that this is all, unless more comes first.
    @exclusivity(unchecked) private var owesZeroLengthPacket = false
    /// Guards against recursion: a completion may submit the next transfer before it returns.
    @exclusivity(unchecked) var isPumping = false

    /// Of an isochronous endpoint only: when each of `transfers` takes place.
    @exclusivity(unchecked) var schedule: IsochronousSchedule?

    init(_ owner: Composition.EndpointOwner, at speed: Speed?) {
        self.owner = owner
        if owner.descriptor.type == .isochronous, let speed {
            schedule = IsochronousSchedule(owner.descriptor, at: speed)
        }
    }

    var address: EndpointAddress { owner.descriptor.address }

    /// Whether there is a payload for a transfer that takes `length` bytes.
    func hasPayload(for length: Int) -> Bool {
        if owner.isExact { return endsQueued > 0 || queuedBytes >= max(1, length) }
        return !chunks.isEmpty || owesZeroLengthPacket
    }

    /// Everything the function wrote has left.
    var hasRoom: Bool { chunks.isEmpty }

    func append(_ bytes: [UInt8], endOfMessage: Bool) {
        guard !bytes.isEmpty || endOfMessage else { return }
        owesZeroLengthPacket = false
        queuedBytes += bytes.count
        if endOfMessage { endsQueued += 1 }
        chunks.append(Chunk(bytes: bytes, endsMessage: endOfMessage))
    }

    /// Forgets a transfer that the host has taken back.
    func withdraw(_ id: TransferID) {
        guard let index = transfers.firstIndex(where: { $0.id == id }) else { return }
        transfers.remove(at: index)
        schedule?.remove(at: index)
    }

    /// All that wait, in their order, out of the queue.
    func takeTransfers() -> Deque<Transfer> {
        let waiting = transfers
        transfers = []
        schedule?.clear()
        return waiting
    }

    /// Queues an isochronous transfer; false when too much waits already.
    func appendIsochronous(_ transfer: Transfer, now: Int) -> Bool {
        guard let schedule, schedule.queuedPackets + transfer.packets.count <= IsochronousSchedule.maximumQueuedPackets
        else { return false }
        self.schedule?.append(packets: transfer.packets.count, now: now)
        transfers.append(transfer)
        return true
    }

    /// The first isochronous transfer if its last packet's interval is over.
    func takeDue(at microframe: Int) -> (Transfer, IsochronousSchedule.Slot)? {
        guard !isHalted, let end = schedule?.slots.first?.end, end <= microframe,
            let transfer = transfers.popFirst(), let slot = schedule?.removeFirst()
        else { return nil }
        return (transfer, slot)
    }

    func discardData() {
        chunks.removeAll()
        queuedBytes = 0
        endsQueued = 0
        owesZeroLengthPacket = false
    }

    /// The payload for a transfer that takes `length` bytes: up to the end of a message, else as much as there is.
    func take(upTo length: Int) -> [UInt8] {
        owesZeroLengthPacket = false
        guard let first = chunks.first else { return [] }
        if first.offset == 0, first.bytes.count <= length, first.endsMessage || chunks.count == 1 {
            chunks.removeFirst()
            queuedBytes -= first.bytes.count
            ended(first, taken: first.bytes.count, of: length)
            return first.bytes
        }
        var payload: [UInt8] = []
        payload.reserveCapacity(min(length, queuedBytes))
        while payload.count < length || chunks.first?.bytes.isEmpty == true, let chunk = chunks.first {
            let count = min(length - payload.count, chunk.bytes.count - chunk.offset)
            payload += chunk.bytes[chunk.offset..<chunk.offset + count]
            queuedBytes -= count
            if chunk.offset + count == chunk.bytes.count {
                chunks.removeFirst()
                ended(chunk, taken: payload.count, of: length)
                if chunk.endsMessage { break }
            } else {
                chunks[0].offset += count
            }
        }
        return payload
    }

    /// A bulk message that just fills its transfer ends with a zero-length packet in the next, and so does a stream that
    /// runs dry there (USB 2.0 section 5.8.3).
    private func ended(_ chunk: Chunk, taken: Int, of length: Int) {
        if chunk.endsMessage { endsQueued -= 1 }
        let packetSize = owner.descriptor.maxPacketSize
        guard !owner.isExact, owner.descriptor.type == .bulk, taken == length, packetSize > 0, taken > 0,
            taken % packetSize == 0
        else {
            return
        }
        if chunk.endsMessage {
            endsQueued += 1
            chunks.prepend(Chunk(bytes: [], endsMessage: true))
        } else if chunks.isEmpty {
            owesZeroLengthPacket = true
        }
    }
}

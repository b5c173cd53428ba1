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
    // What each transfer asks of the owner, at hand.
    let address: EndpointAddress
    let function: Int
    let handler: any Function
    let key: EndpointKey
    private let isBulk: Bool
    /// See `EndpointDeclaration.isExact`.
    private let isExact: Bool
    /// Bytes.
    private let packetSize: Int
    // As in the device, without run-time exclusivity checks: nothing outside is called while these are accessed.
    @exclusivity(unchecked) var transfers: Deque<Transfer> = []
    /// OUT transfers that the function has taken, ever: how the pump sees progress.
    @exclusivity(unchecked) var takenCount = 0
    @exclusivity(unchecked) var isHalted = false
    @exclusivity(unchecked) private(set) var queuedBytes = 0
    /// The chunk that leaves next, and those behind it, of which there are mostly none.
    @exclusivity(unchecked) private var first: Chunk?
    @exclusivity(unchecked) private var rest: Deque<Chunk> = []
    /// Ends of messages in both.
    @exclusivity(unchecked) private var endsQueued = 0
    /// A stream ran dry just where a transfer was full: a host that joins transfers (UHCI's are single packets) would
    /// wait for more, so a zero-length packet tells it that this is all, unless more comes first.
    @exclusivity(unchecked) private var owesZeroLengthPacket = false
    /// Guards against recursion: a completion may submit the next transfer before it returns.
    @exclusivity(unchecked) var isPumping = false

    /// Of an isochronous endpoint only: when each of `transfers` takes place.
    @exclusivity(unchecked) var schedule: IsochronousSchedule?

    init(_ owner: Composition.EndpointOwner, _ handler: any Function, at speed: Speed?) {
        self.owner = owner
        self.handler = handler
        address = owner.descriptor.address
        function = owner.function
        key = owner.key
        isBulk = owner.descriptor.type == .bulk
        isExact = owner.isExact
        packetSize = max(1, owner.descriptor.maxPacketSize)
        if owner.descriptor.type == .isochronous, let speed {
            schedule = IsochronousSchedule(owner.descriptor, at: speed)
        }
    }

    /// Whether there is a payload for a transfer that takes `length` bytes.
    func hasPayload(for length: Int) -> Bool {
        if isExact { return endsQueued > 0 || queuedBytes >= max(1, length) }
        return first != nil || owesZeroLengthPacket
    }

    /// Everything the function wrote has left.
    var hasRoom: Bool { first == nil }

    func append(_ bytes: [UInt8], endOfMessage: Bool) {
        guard !bytes.isEmpty || endOfMessage else { return }
        owesZeroLengthPacket = false
        queuedBytes += bytes.count
        if endOfMessage { endsQueued += 1 }
        let chunk = Chunk(bytes: bytes, endsMessage: endOfMessage)
        if first == nil { first = chunk } else { rest.append(chunk) }
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
        first = nil
        rest.removeAll()
        queuedBytes = 0
        endsQueued = 0
        owesZeroLengthPacket = false
    }

    /// The payload for a transfer that takes `length` bytes: up to the end of a message, else as much as there is.
    func take(upTo length: Int) -> [UInt8] {
        owesZeroLengthPacket = false
        if let whole = first, whole.offset == 0, whole.bytes.count <= length, whole.endsMessage || rest.isEmpty {
            advance()
            queuedBytes -= whole.bytes.count
            ended(whole, taken: whole.bytes.count, of: length)
            return whole.bytes
        }
        var payload: [UInt8] = []
        payload.reserveCapacity(min(length, queuedBytes))
        while let chunk = first, payload.count < length || chunk.bytes.isEmpty {
            let count = min(length - payload.count, chunk.bytes.count - chunk.offset)
            payload += chunk.bytes[chunk.offset..<chunk.offset + count]
            queuedBytes -= count
            if chunk.offset + count == chunk.bytes.count {
                advance()
                ended(chunk, taken: payload.count, of: length)
                if chunk.endsMessage { break }
            } else {
                first?.offset += count
            }
        }
        return payload
    }

    private func advance() {
        first = rest.isEmpty ? nil : rest.popFirst()
    }

    /// A bulk message that just fills its transfer ends with a zero-length packet in the next, and so does a stream that
    /// runs dry there (USB 2.0 section 5.8.3).
    private func ended(_ chunk: Chunk, taken: Int, of length: Int) {
        if chunk.endsMessage { endsQueued -= 1 }
        guard isBulk, !isExact, taken == length, taken > 0, taken % packetSize == 0 else { return }
        if chunk.endsMessage {
            endsQueued += 1
            if let next = first { rest.prepend(next) }
            first = Chunk(bytes: [], endsMessage: true)
        } else if first == nil {
            owesZeroLengthPacket = true
        }
    }
}

import NIOCore
import USBCore

/// Interrupt IN: pushed between start and stop, never asked for packet by packet.
extension RedirectionSession {
    func startInterruptReceiving(_ id: UInt64, _ rawAddress: UInt8) {
        guard let endpoint = endpoint(rawAddress, .interrupt), endpoint.address.direction == .in else {
            send(id, .interruptReceivingStatus(.invalid, endpoint: rawAddress))
            return
        }
        // The status goes first: the guest drops data that comes before it has started.
        send(id, .interruptReceivingStatus(.success, endpoint: rawAddress))
        let index = endpoint.address.index
        guard streams[index] == nil else { return }
        streams[index] = InterruptStream(endpoint: endpoint)
        park(index)
    }

    func stopInterruptReceiving(_ id: UInt64, _ rawAddress: UInt8) {
        let address = EndpointAddress(rawValue: rawAddress)
        stopInterruptStreams { $0 == address.index }
        send(id, .interruptReceivingStatus(.success, endpoint: rawAddress))
    }

    /// Takes the parked transfers of these endpoints back; their completions find no stream and are dropped.
    func stopInterruptStreams(where affected: (Int) -> Bool) {
        for index in streams.keys.filter(affected).sorted() {
            guard let stream = streams.removeValue(forKey: index) else { continue }
            stream.timer?.cancel()
            if let parked = stream.parked { port.cancel(parked) }
        }
    }

    func resumeInterruptStreams() {
        for index in streams.keys.sorted() { parkWhenDue(index) }
    }

    func interruptCompleted(_ index: Int, _ completion: TransferCompletion) {
        guard var stream = streams[index], stream.parked == completion.id else { return }
        stream.parked = nil
        let address = stream.endpoint.address.rawValue
        guard completion.status == .success || completion.status == .shortPacket else {
            // Stall is the one status after which QEMU starts anew, once its guest has cleared the halt; going on by
            // ourselves against a halted endpoint would spin.
            streams.removeValue(forKey: index)
            send(0, .interruptReceivingStatus(.stall, endpoint: address))
            return
        }
        let data =
            completion.data.count <= stream.endpoint.maxPacketSize
            ? completion.data : Array(completion.data.prefix(stream.endpoint.maxPacketSize))
        let status: PacketStatus = completion.data.count > data.count ? .babble : .success
        let packetID = stream.nextPacketID
        stream.nextPacketID &+= 1
        streams[index] = stream
        send(
            packetID,
            .interruptPacket(
                DataPacket(endpoint: address, status: status, length: UInt16(clamping: data.count), data: data)))
        parkWhenDue(index)
    }

    /// Parks the next transfer when the interval is over and the peer reads; otherwise a timer or `resume` does.
    private func parkWhenDue(_ index: Int) {
        guard let stream = streams[index], stream.parked == nil, stream.timer == nil, mayProceed else { return }
        let wait = stream.nextParking - now
        guard wait > .nanoseconds(0) else { return park(index) }
        streams[index]?.timer = schedule(in: wait) { [weak self] in
            guard let self else { return }
            self.streams[index]?.timer = nil
            self.parkWhenDue(index)
            self.flushUnlessReading()
        }
    }

    private func park(_ index: Int) {
        guard var stream = streams[index], let id = pending.add(PendingRequest(id: 0, request: .interruptStream(index)))
        else { return }
        stream.parked = id
        stream.nextParking = now + stream.interval
        streams[index] = stream
        port.submit(.in(id, stream.endpoint.address.number, length: stream.endpoint.maxPacketSize))
    }
}

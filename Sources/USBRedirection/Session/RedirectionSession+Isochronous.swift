import USBCore
import USBDevice

/// Isochronous streams: IN is pushed at the rate that the device keeps, OUT comes unacknowledged.
extension RedirectionSession {
    func startIsochronousStream(_ id: UInt64, _ rawAddress: UInt8, packetsPerTransfer: UInt8, transfers: UInt8) {
        guard let endpoint = endpoint(rawAddress, .isochronous),
            let stream = IsochronousStream(
                endpoint: endpoint, packetsPerTransfer: packetsPerTransfer, transfers: transfers)
        else {
            // Stall, not invalid: QEMU would think the stream started for ever, also after it has set the alternate
            // setting that has the endpoint.
            send(id, .isochronousStreamStatus(.stall, endpoint: rawAddress))
            return
        }
        let index = endpoint.address.index
        stopIsochronousStreams { $0 == index }
        // The status goes first, as with interrupt streams.
        send(id, .isochronousStreamStatus(.success, endpoint: rawAddress))
        isochronousStreams[index] = stream
        if endpoint.address.direction == .in {
            for _ in 0..<stream.transferCount { submitIsochronousIn(index) }
        }
    }

    func stopIsochronousStream(_ id: UInt64, _ rawAddress: UInt8) {
        let address = EndpointAddress(rawValue: rawAddress)
        stopIsochronousStreams { $0 == address.index }
        send(id, .isochronousStreamStatus(.success, endpoint: rawAddress))
    }

    /// Takes what is under way back; the completions find no stream and are dropped.
    func stopIsochronousStreams(where affected: (Int) -> Bool) {
        for index in isochronousStreams.keys.filter(affected).sorted() {
            guard let stream = isochronousStreams.removeValue(forKey: index) else { continue }
            for transfer in stream.underWay { port.cancel(transfer) }
        }
    }

    /// One packet of an OUT stream. What does not fit is dropped: nobody waits for an answer.
    func isochronousOut(_ packet: DataPacket) {
        guard let endpoint = endpoint(packet.endpoint, .isochronous), endpoint.address.direction == .out,
            let stream = isochronousStreams[endpoint.address.index]
        else { return }
        guard packet.data.count <= endpoint.maxPacketSize, !stream.isFull else {
            logger.debug("usbredir: an isochronous packet of \(packet.data.count) bytes is dropped")
            return
        }
        isochronousStreams[endpoint.address.index]?.gathered.append(packet.data)
        play(endpoint.address.index)
    }

    func isochronousCompleted(_ index: Int, _ completion: TransferCompletion) {
        guard var stream = isochronousStreams[index],
            let position = stream.underWay.firstIndex(of: completion.id)
        else { return }
        stream.underWay.remove(at: position)
        guard completion.status == .success else { return breakOff(index) }
        switch stream.endpoint.address.direction {
        case .in:
            push(completion, &stream)
            isochronousStreams[index] = stream
            submitIsochronousIn(index)
        case .out:
            if stream.underWay.isEmpty, stream.gathered.count < stream.packetsPerTransfer { stream.isPlaying = false }
            isochronousStreams[index] = stream
            play(index)
        }
    }

    /// Sends the packets of a transfer on; while the peer does not read they are dropped, since late ones are worthless.
    private func push(_ completion: TransferCompletion, _ stream: inout IsochronousStream) {
        var rest = completion.data[...]
        for packet in completion.packets {
            let bytes = Array(rest.prefix(max(0, packet.actualLength)))
            rest = rest.dropFirst(bytes.count)
            let id = stream.nextPacketID
            stream.nextPacketID &+= 1
            guard mayProceed else { continue }
            send(
                id,
                .isochronousPacket(
                    DataPacket(
                        endpoint: stream.endpoint.address.rawValue, status: PacketStatus(packet.status),
                        length: UInt16(clamping: bytes.count), data: bytes)))
        }
    }

    private func submitIsochronousIn(_ index: Int) {
        guard let stream = isochronousStreams[index] else { return }
        let packets = stream.inPackets
        submit(index) {
            .in(
                $0, stream.endpoint.address.number, length: packets.count * stream.endpoint.maxPacketSize,
                packets: packets)
        }
    }

    /// Gives the device what has been gathered, in whole transfers.
    private func play(_ index: Int) {
        guard let stream = isochronousStreams[index], stream.isPlaying || stream.mayBegin else { return }
        isochronousStreams[index]?.isPlaying = true
        while let stream = isochronousStreams[index], stream.underWay.count < stream.transferCount,
            let (data, packets) = isochronousStreams[index]?.takeOut()
        {
            submit(index) { .out($0, stream.endpoint.address.number, data: data, packets: packets) }
        }
    }

    private func submit(_ index: Int, _ transfer: (TransferID) -> Transfer) {
        guard pending.count < Self.maximumRequests,
            let id = pending.add(PendingRequest(id: 0, request: .isochronousStream(index)))
        else { return breakOff(index) }
        isochronousStreams[index]?.underWay.append(id)
        port.submit(transfer(id))
    }

    /// The stream cannot go on. Stall is the one status after which QEMU starts it anew (usbredir, iso_stream_status).
    private func breakOff(_ index: Int) {
        guard let address = isochronousStreams[index]?.endpoint.address.rawValue else { return }
        stopIsochronousStreams { $0 == index }
        send(0, .isochronousStreamStatus(.stall, endpoint: address))
    }
}

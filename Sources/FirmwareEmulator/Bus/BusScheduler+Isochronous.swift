import USBCore

/// Isochronous transfers: one packet each interval, no handshake, no retry (USB 2.0 section 5.6).
extension BusScheduler {
    /// Moves one packet of each isochronous pipe whose interval begins with this frame.
    func isochronousFrame() {
        for index in pipes.indices where pipes[index].type == .isochronous && !pipes[index].queue.isEmpty {
            guard frame >= pipes[index].eligibleFrame, let head = pipes[index].queue.first else { continue }
            pipes[index].eligibleFrame = frame + UInt64(pipes[index].interval)
            let position = pipes[index].packets.count
            guard position < head.transfer.packets.count else { continue }
            let wanted = head.transfer.packets[position]
            let done =
                pipes[index].address.direction == .in
                ? receive(index, wanted) : send(index, wanted, head.transfer)
            pipes[index].packets.append(done)
            if pipes[index].packets.count == head.transfer.packets.count { endIsochronous(index) }
        }
    }

    private func receive(_ index: Int, _ wanted: IsochronousPacket) -> IsochronousPacket {
        var packet = IsochronousPacket(offset: wanted.offset, length: wanted.length)
        guard
            case .data(let bytes, _) = controller.in(
                address: Self.deviceAddress, endpoint: pipes[index].address.number)
        else {
            // Nothing was answered: an empty packet, as hosts report it.
            occupy(payload: 0, overhead: 9)
            return packet
        }
        occupy(payload: bytes.count, overhead: 9)
        packet.actualLength = min(bytes.count, wanted.length)
        if bytes.count > wanted.length { packet.status = .babble }
        pipes[index].received += bytes.prefix(packet.actualLength)
        return packet
    }

    private func send(_ index: Int, _ wanted: IsochronousPacket, _ transfer: Transfer) -> IsochronousPacket {
        var packet = IsochronousPacket(offset: wanted.offset, length: wanted.length)
        guard wanted.length <= pipes[index].packetSize else {
            packet.status = .error
            return packet
        }
        _ = controller.out(
            transfer.data[wanted.offset..<wanted.offset + wanted.length], toggle: false, address: Self.deviceAddress,
            endpoint: pipes[index].address.number)
        occupy(payload: wanted.length, overhead: 9)
        packet.actualLength = wanted.length
        pipes[index].sent += wanted.length
        return packet
    }

    private func endIsochronous(_ index: Int) {
        guard let transfer = pipes[index].queue.popFirst() else { return }
        let data = pipes[index].received
        let sent = pipes[index].sent
        let packets = pipes[index].packets
        pipes[index].clearProgress()
        finish(transfer, .success, data: data, actualLength: sent, packets: packets)
    }
}

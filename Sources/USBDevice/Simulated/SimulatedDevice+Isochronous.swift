import USBCore

/// Isochronous transfers: one packet each service interval in real time, no handshake, no retry (USB 2.0 section 5.6).
extension SimulatedDevice {
    /// Queues a transfer; it completes when the interval of its last packet is over, never before.
    func submitIsochronous(_ transfer: Transfer, to queue: EndpointQueue) {
        guard let clock = frameClock, transfer.hasValidPackets,
            queue.appendIsochronous(transfer, now: clock.microframe)
        else {
            let packets = transfer.packets.map {
                IsochronousPacket(offset: $0.offset, length: $0.length, status: .error)
            }
            // No more packets come back than a host may ask for.
            finish(transfer, .error, packets: packets.count <= Transfer.maximumPackets ? packets : [])
            return
        }
        guard !queue.isPumping else { return }
        arm(queue, clock)
    }

    /// Completes what is due. Intervals that passed while the loop was late are all served now.
    private func serveIsochronous(_ queue: EndpointQueue) {
        guard let clock = frameClock, !queue.isPumping else { return }
        queue.schedule?.timer = nil
        queue.isPumping = true
        // Asked again each time: a completion may submit, halt the endpoint or take it away.
        while endpoints[queue.address] === queue, let (transfer, slot) = queue.takeDue(at: clock.microframe) {
            switch transfer.endpoint.direction {
            case .in: finishIsochronousIn(transfer, slot, queue)
            case .out: finishIsochronousOut(transfer, slot, queue)
            }
        }
        queue.isPumping = false
        if endpoints[queue.address] === queue { arm(queue, clock) }
    }

    private func arm(_ queue: EndpointQueue, _ clock: any FrameClock) {
        guard let schedule = queue.schedule, schedule.timer == nil, let first = schedule.slots.first else { return }
        queue.schedule?.timer = clock.schedule(at: first.end) { [weak self, weak queue] in
            guard let self, let queue else { return }
            self.serveIsochronous(queue)
        }
    }

    private func finishIsochronousIn(_ transfer: Transfer, _ slot: IsochronousSchedule.Slot, _ queue: EndpointQueue) {
        let function = functions[queue.owner.function]
        let isMuted = gates[queue.owner.function] != .on
        let room = queue.owner.descriptor.bytesPerInterval
        var packets = transfer.packets
        var data: [UInt8] = []
        data.reserveCapacity(min(transfer.length, packets.count * room))
        for index in packets.indices {
            let length = min(packets[index].length, room)
            let bytes =
                isMuted
                ? []
                : function.isochronousPacket(
                    queue.owner.key, interval: slot.firstInterval + index, length: length)
            packets[index].actualLength = min(bytes.count, length)
            packets[index].status = bytes.count > length ? .babble : .success
            data += bytes.prefix(length)
        }
        finish(transfer, .success, data: data, packets: packets)
    }

    private func finishIsochronousOut(_ transfer: Transfer, _ slot: IsochronousSchedule.Slot, _ queue: EndpointQueue) {
        let function = functions[queue.owner.function]
        let isMuted = gates[queue.owner.function] != .on
        let room = queue.owner.descriptor.bytesPerInterval
        var packets = transfer.packets
        var taken = 0
        for index in packets.indices {
            let packet = packets[index]
            guard packet.length <= room else {
                packets[index].actualLength = 0
                packets[index].status = .error
                continue
            }
            packets[index].actualLength = packet.length
            packets[index].status = .success
            taken += packet.length
            guard !isMuted else { continue }
            function.isochronousReceived(
                queue.owner.key, interval: slot.firstInterval + index,
                Array(transfer.data[packet.offset..<packet.offset + packet.length]))
        }
        finish(transfer, .success, actualLength: taken, packets: packets)
    }
}

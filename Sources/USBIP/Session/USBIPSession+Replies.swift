import NIOCore
import USBCore
import USBIPCodec

extension USBIPSession {
    /// The one RET_SUBMIT of a URB whose transfer has ended.
    func reply(to urb: PendingURB, with completion: TransferCompletion) {
        if let packets = urb.packets { return reply(toIsochronous: urb, packets, with: completion) }
        var status = URBStatus(completion.status)
        guard urb.address.direction == .in else {
            return send(urb, status, actualLength: min(max(0, completion.actualLength), urb.length))
        }
        let count = min(completion.data.count, urb.length)
        if completion.data.count > urb.length, urb.address.number != 0 {
            // Linux tears the connection down for an answer that is longer than the URB.
            status = .babble
        } else if urb.shortNotOK, status == .success, count < urb.length {
            status = .short
        }
        send(urb, status, actualLength: count, data: completion.data)
    }

    /// A reply to what never reached the device.
    func refuse(_ urb: PendingURB, _ status: URBStatus) {
        if let packets = urb.packets {
            // What the request says of lengths and statuses is the importer's.
            sendIsochronous(
                urb, status,
                packets: packets.map { IsochronousDescriptor(offset: $0.offset, length: $0.length, status: status) },
                data: [])
        } else {
            send(urb, status, actualLength: 0)
        }
        flushUnlessReading()
    }

    func refuse(_ command: SubmitCommand, _ status: URBStatus) {
        refuse(
            PendingURB(sequenceNumber: command.sequenceNumber, address: command.address, length: Int(command.length)),
            status)
    }

    /// - Parameter data: at least `actualLength` bytes for IN; none for OUT.
    private func send(_ urb: PendingURB, _ status: URBStatus, actualLength: Int, data: [UInt8] = []) {
        guard end == nil else { return }
        staged.append(
            SubmitReply(
                sequenceNumber: urb.sequenceNumber, status: status, actualLength: Int32(clamping: actualLength)), data,
            count: urb.address.direction == .in ? actualLength : 0, into: &outgoing)
        flushWhenFull()
    }

    // MARK: Isochronous

    /// Packed data, then as many descriptors as were asked, with the request's offsets: what else comes makes Linux lose
    /// the framing or close the connection.
    private func reply(
        toIsochronous urb: PendingURB, _ requested: [IsochronousDescriptor], with completion: TransferCompletion
    ) {
        let isIn = urb.address.direction == .in
        let status = URBStatus(completion.status)
        var packets = requested
        var total = 0
        // A device that answers for another number of packets has answered for none.
        let hasPackets = completion.packets.count == requested.count
        for index in packets.indices {
            let length = Int(packets[index].length)
            let answer = hasPackets ? completion.packets[index] : nil
            let actual = min(max(0, answer?.actualLength ?? 0), length)
            packets[index].actualLength = UInt32(clamping: actual)
            packets[index].status =
                answer.map { URBStatus($0.status) } ?? (status == .success ? .partialIsochronous : status)
            total += actual
        }
        if isIn, total != completion.data.count {
            // Lengths and data disagree: no packet can be told from the next.
            for index in packets.indices {
                packets[index].actualLength = 0
                packets[index].status = .protocolError
            }
        }
        sendIsochronous(urb, status, packets: packets, data: isIn ? completion.data : [])
    }

    private func sendIsochronous(
        _ urb: PendingURB, _ status: URBStatus, packets: [IsochronousDescriptor], data: [UInt8]
    ) {
        guard end == nil else { return }
        staged.move(into: &outgoing)
        let total = packets.reduce(0) { $0 + Int($1.actualLength) }
        SubmitReply(
            sequenceNumber: urb.sequenceNumber, status: status, actualLength: Int32(clamping: total),
            startFrame: frameNumber, packetCount: Int32(clamping: packets.count),
            errorCount: Int32(clamping: packets.count { $0.status != .success })
        ).write(to: &outgoing)
        if total == data.count { outgoing.writeBytes(data) }
        for packet in packets { packet.write(to: &outgoing) }
        flushWhenFull()
    }
}

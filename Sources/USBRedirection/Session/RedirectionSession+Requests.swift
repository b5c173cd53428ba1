import USBCore
import USBDevice

extension RedirectionSession {
    /// One packet of the guest.
    func handle(_ message: Message) {
        switch message.packet {
        case .hello(let hello): received(hello)
        case .filterFilter(let rules): filterReceived(rules)
        case .filterReject: rejected()
        case .deviceDisconnectAck: acknowledged()
        default:
            // A request for a device that has left: the guest counts it as cancelled already.
            guard state == .connected else { return }
            request(message.id, message.packet)
        }
    }

    private func request(_ id: UInt64, _ packet: Packet) {
        switch packet {
        case .reset: reset()
        case .cancelDataPacket: cancel(id)
        case .setConfiguration(let value): setConfiguration(id, value)
        case .getConfiguration:
            submit(id, .getConfiguration) { .control($0, .standardIn(.getConfiguration, .device)) }
        case .setAlternateSetting(let interface, let alternate):
            setAlternateSetting(id, interface: interface, alternate: alternate)
        case .getAlternateSetting(let interface):
            submit(id, .getAlternateSetting(interface: interface)) {
                .control($0, .standardIn(.getInterface, .interface, index: UInt16(interface)))
            }
        case .controlPacket(let packet): control(id, packet)
        case .bulkPacket(let packet): bulk(id, packet)
        case .interruptPacket(let packet): interruptOut(id, packet)
        case .startInterruptReceiving(let endpoint): startInterruptReceiving(id, endpoint)
        case .stopInterruptReceiving(let endpoint): stopInterruptReceiving(id, endpoint)
        case .startIsochronousStream(let endpoint, let packets, let urbs):
            startIsochronousStream(id, endpoint, packetsPerTransfer: packets, transfers: urbs)
        case .stopIsochronousStream(let endpoint): stopIsochronousStream(id, endpoint)
        case .isochronousPacket(let packet): isochronousOut(packet)
        default:
            logger.warning("usbredir: \(packet.type.name) ignored")
        }
    }

    /// The guest resets its port at boot, at driver takeover and while enumerating. What was pending is answered, so that
    /// no id of it stays on the guest's books.
    private func reset() {
        quiet.begins(at: now)
        stopStreams { _ in true }
        port.busReset()
        // The device may have asked to be reconnected, or the link may have ended, while its transfers did.
        guard state == .connected else { return }
        endpoints = Announcement(port.firmware.enumeration(at: speed)).endpoints
    }

    /// One reply with the target's id: `cancelled`, or the completion that has won, which then was sent before.
    private func cancel(_ id: UInt64) {
        guard let transfer = transfer(of: id) else { return }
        port.cancel(transfer)
    }

    private func setConfiguration(_ id: UInt64, _ value: UInt8) {
        cancelTransfers { _ in true }
        let setup = SetupPacket(
            requestType: RequestType(.out, .standard, .device), request: StandardRequest.setConfiguration.rawValue,
            value: UInt16(value))
        submit(id, .setConfiguration(value)) { .control($0, setup) }
    }

    private func setAlternateSetting(_ id: UInt64, interface: UInt8, alternate: UInt8) {
        cancelTransfers { [endpoints] in endpoints[$0]?.interface == interface }
        let setup = SetupPacket(
            requestType: RequestType(.out, .standard, .interface), request: StandardRequest.setInterface.rawValue,
            value: UInt16(alternate), index: UInt16(interface))
        submit(id, .setAlternateSetting(interface: interface, alternate: alternate)) { .control($0, setup) }
    }

    func stopStreams(where affected: (Int) -> Bool) {
        stopInterruptStreams(where: affected)
        stopIsochronousStreams(where: affected)
    }

    /// Ends data transfers of the endpoints with these indices; control transfers go on.
    private func cancelTransfers(where affected: (Int) -> Bool) {
        stopStreams(where: affected)
        // As they came: QEMU's ids are addresses in a ring and go down where it wraps.
        var doomed: [TransferID] = []
        pending.forEach { transfer, pending in
            switch pending.request {
            case .bulk(let endpoint, _), .interruptOut(let endpoint, _):
                if affected(EndpointAddress(rawValue: endpoint).index) { doomed.append(transfer) }
            default: break
            }
        }
        for transfer in doomed { port.cancel(transfer) }
    }

    private func control(_ id: UInt64, _ packet: ControlPacket) {
        let incoming = packet.endpoint & 0x80 != 0
        let setup = SetupPacket(
            requestType: RequestType(rawValue: packet.requestType), request: packet.request, value: packet.value,
            index: packet.index, length: packet.length)
        // Without a data stage the direction bit says nothing (USB 2.0 table 9-2).
        let agrees = packet.length == 0 || incoming == (setup.direction == .in)
        var request = packet
        request.data = []
        guard packet.endpoint & 0x7F == 0, agrees else { return refuse(id, .control(request), .invalid) }
        submit(id, .control(request)) { .control($0, setup, data: packet.data) }
    }

    private func bulk(_ id: UInt64, _ packet: BulkPacket) {
        let request = Request.bulk(endpoint: packet.endpoint, length: packet.length)
        guard let endpoint = endpoint(packet.endpoint, .bulk), packet.stream == 0,
            packet.length <= limits.packets.maximumTransferLength
        else { return refuse(id, request, .invalid) }
        switch endpoint.address.direction {
        case .in: submit(id, request) { .in($0, endpoint.address.number, length: Int(packet.length)) }
        case .out: submit(id, request) { .out($0, endpoint.address.number, data: packet.data) }
        }
    }

    private func interruptOut(_ id: UInt64, _ packet: DataPacket) {
        let request = Request.interruptOut(endpoint: packet.endpoint, length: packet.length)
        guard let endpoint = endpoint(packet.endpoint, .interrupt), endpoint.address.direction == .out else {
            return refuse(id, request, .invalid)
        }
        submit(id, request) { .out($0, endpoint.address.number, data: packet.data) }
    }

    /// The announced endpoint of that address and type; reserved address bits must be zero.
    func endpoint(_ rawAddress: UInt8, _ type: TransferType) -> AnnouncedEndpoint? {
        let address = EndpointAddress(rawValue: rawAddress)
        guard address.rawValue == rawAddress, let endpoint = endpoints[address.index], endpoint.type == type else {
            return nil
        }
        return endpoint
    }

    /// Gives the device a transfer for the request of a guest, whose id must be free.
    private func submit(_ id: UInt64, _ request: Request, _ transfer: (TransferID) -> Transfer) {
        guard state == .connected else { return }
        guard self.transfer(of: id) == nil else { return refuse(id, request, .invalid) }
        guard pendingBytes + request.cost <= limits.maximumPendingBytes,
            guestIDs.count < Self.maximumRequests,
            let new = pending.add(PendingRequest(id: id, request: request))
        else { return refuse(id, request, .error) }
        if request.isControl { quiet.heard(at: now) }
        guestIDs.insert(id)
        pendingBytes += request.cost
        port.submit(transfer(new))
    }

    /// The transfer for a guest's pending request.
    private func transfer(of id: UInt64) -> TransferID? {
        guard guestIDs.mayContain(id) else { return nil }
        return pending.first { $0.id == id && $0.isGuests }
    }

    /// The id of the guest's request that a transfer is for; nil for a transfer of ours and one that is not pending.
    package func guestID(of transfer: TransferID) -> UInt64? {
        pending[transfer].flatMap { $0.isGuests ? $0.id : nil }
    }
}

extension SetupPacket {
    /// A standard request that asks for one byte.
    static func standardIn(
        _ request: StandardRequest, _ recipient: RequestType.Recipient, index: UInt16 = 0
    ) -> SetupPacket {
        SetupPacket(
            requestType: RequestType(.in, .standard, recipient), request: request.rawValue, index: index, length: 1)
    }
}

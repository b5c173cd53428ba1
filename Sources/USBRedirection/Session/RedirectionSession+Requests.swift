import USBCore

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
            submit(.getConfiguration, .control(id, .standardIn(.getConfiguration, .device)))
        case .setAlternateSetting(let interface, let alternate):
            setAlternateSetting(id, interface: interface, alternate: alternate)
        case .getAlternateSetting(let interface):
            submit(
                .getAlternateSetting(interface: interface),
                .control(id, .standardIn(.getInterface, .interface, index: UInt16(interface))))
        case .controlPacket(let packet): control(id, packet)
        case .bulkPacket(let packet): bulk(id, packet)
        case .interruptPacket(let packet): interruptOut(id, packet)
        case .startInterruptReceiving(let endpoint): startInterruptReceiving(id, endpoint)
        case .stopInterruptReceiving(let endpoint): stopInterruptReceiving(id, endpoint)
        case .startIsochronousStream(let endpoint, _, _):
            send(id, .isochronousStreamStatus(.invalid, endpoint: endpoint))
        case .stopIsochronousStream(let endpoint):
            send(id, .isochronousStreamStatus(.success, endpoint: endpoint))
        case .isochronousPacket:
            // Never acknowledged; the stream it would belong to was refused.
            break
        default:
            logger.warning("usbredir: \(packet.type.name) ignored")
        }
    }

    /// The guest resets its port at boot, at driver takeover and while enumerating. What was pending is answered, so that
    /// no id of it stays on the guest's books.
    private func reset() {
        stopInterruptStreams { _ in true }
        port.busReset()
        // The device may have asked to be reconnected, or the link may have ended, while its transfers did.
        guard state == .connected else { return }
        endpoints = Announcement(port.firmware.enumeration(at: speed)).endpoints
    }

    /// One reply with the target's id: `cancelled`, or the completion that has won, which then was sent before.
    private func cancel(_ id: UInt64) {
        guard pending[id] != nil else { return }
        port.cancel(id)
    }

    private func setConfiguration(_ id: UInt64, _ value: UInt8) {
        cancelTransfers { _ in true }
        submit(
            .setConfiguration(value),
            .control(
                id,
                SetupPacket(
                    requestType: RequestType(.out, .standard, .device),
                    request: StandardRequest.setConfiguration.rawValue, value: UInt16(value))))
    }

    private func setAlternateSetting(_ id: UInt64, interface: UInt8, alternate: UInt8) {
        cancelTransfers { [endpoints] in endpoints[$0]?.interface == interface }
        submit(
            .setAlternateSetting(interface: interface, alternate: alternate),
            .control(
                id,
                SetupPacket(
                    requestType: RequestType(.out, .standard, .interface),
                    request: StandardRequest.setInterface.rawValue, value: UInt16(alternate), index: UInt16(interface)))
        )
    }

    /// Ends data transfers of the endpoints with these indices; control transfers go on.
    private func cancelTransfers(where affected: (Int) -> Bool) {
        stopInterruptStreams(where: affected)
        let doomed = pending.filter { _, request in
            switch request {
            case .bulk(let endpoint, _), .interruptOut(let endpoint, _):
                affected(EndpointAddress(rawValue: endpoint).index)
            default: false
            }
        }
        // As they came: QEMU's ids are addresses in a ring and go down where it wraps.
        for id in port.pendingIDs where doomed[id] != nil { port.cancel(id) }
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
        submit(.control(request), .control(id, setup, data: packet.data))
    }

    private func bulk(_ id: UInt64, _ packet: BulkPacket) {
        let request = PendingRequest.bulk(endpoint: packet.endpoint, length: packet.length)
        guard let endpoint = endpoint(packet.endpoint, .bulk), packet.stream == 0,
            packet.length <= limits.packets.maximumTransferLength
        else { return refuse(id, request, .invalid) }
        switch endpoint.address.direction {
        case .in: submit(request, .in(id, endpoint.address.number, length: Int(packet.length)))
        case .out: submit(request, .out(id, endpoint.address.number, data: packet.data))
        }
    }

    private func interruptOut(_ id: UInt64, _ packet: DataPacket) {
        let request = PendingRequest.interruptOut(endpoint: packet.endpoint, length: packet.length)
        guard let endpoint = endpoint(packet.endpoint, .interrupt), endpoint.address.direction == .out else {
            return refuse(id, request, .invalid)
        }
        submit(request, .out(id, endpoint.address.number, data: packet.data))
    }

    /// The announced endpoint of that address and type; reserved address bits must be zero.
    func endpoint(_ rawAddress: UInt8, _ type: TransferType) -> AnnouncedEndpoint? {
        let address = EndpointAddress(rawValue: rawAddress)
        guard address.rawValue == rawAddress, let endpoint = endpoints[address.index], endpoint.type == type else {
            return nil
        }
        return endpoint
    }

    /// Gives the device a transfer under the guest's own id, which must be free.
    private func submit(_ request: PendingRequest, _ transfer: Transfer) {
        guard state == .connected else { return }
        guard pending[transfer.id] == nil, InterruptStream.endpointIndex(of: transfer.id) == nil else {
            return refuse(transfer.id, request, .invalid)
        }
        guard pendingBytes + request.cost <= limits.maximumPendingBytes else {
            return refuse(transfer.id, request, .error)
        }
        pending[transfer.id] = request
        pendingBytes += request.cost
        port.submit(transfer)
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

import USBCore

extension RedirectionSession {
    /// The one reply to a request whose transfer has ended.
    func reply(to pending: PendingRequest, with completion: TransferCompletion) {
        let id = pending.id
        let status = PacketStatus(completion.status)
        switch pending.request {
        case .control(var packet):
            let room = Int(packet.length)
            packet.status = completion.data.count > room ? .babble : status
            packet.data = packet.endpoint & 0x80 != 0 ? Array(completion.data.prefix(room)) : []
            packet.length = UInt16(
                clamping: packet.endpoint & 0x80 != 0 ? packet.data.count : min(max(0, completion.actualLength), room))
            send(id, .controlPacket(packet))
        case .bulk(let endpoint, let length):
            send(id, .bulkPacket(bulkReply(endpoint, length, status, completion)))
        case .interruptOut(let endpoint, let length):
            let taken = UInt16(clamping: min(max(0, completion.actualLength), Int(length)))
            send(id, .interruptPacket(DataPacket(endpoint: endpoint, status: status, length: taken)))
        case .setConfiguration:
            if status == .success { announceInterfaces() }
            send(id, .configurationStatus(status, configuration: currentConfiguration))
        case .getConfiguration:
            send(id, .configurationStatus(status, configuration: completion.data.first ?? 0))
        case .setAlternateSetting(let interface, let alternate):
            if status == .success { announceInterfaces() }
            send(id, .alternateSettingStatus(status, interface: interface, alternate: alternate))
        case .getAlternateSetting(let interface):
            send(
                id,
                .alternateSettingStatus(status, interface: interface, alternate: completion.data.first ?? 0))
        case .interruptStream(let index):
            interruptCompleted(index, completion)
        case .isochronousStream(let index):
            isochronousCompleted(index, completion)
        }
    }

    /// Never more than was asked for: QEMU would tell its guest of babble.
    private func bulkReply(
        _ endpoint: UInt8, _ length: UInt32, _ status: PacketStatus, _ completion: TransferCompletion
    ) -> BulkPacket {
        guard endpoint & 0x80 != 0 else {
            let taken = UInt32(clamping: min(max(0, completion.actualLength), Int(length)))
            return BulkPacket(endpoint: endpoint, status: status, length: taken)
        }
        let room = Int(length)
        guard completion.data.count > room else {
            return BulkPacket(
                endpoint: endpoint, status: status, length: UInt32(completion.data.count), data: completion.data)
        }
        return BulkPacket(
            endpoint: endpoint, status: .babble, length: length, data: Array(completion.data.prefix(room)))
    }

    /// Answers a request that never reached the device.
    func refuse(_ id: UInt64, _ request: Request, _ refusal: Refusal) {
        let status = refusal == .invalid ? PacketStatus.invalid : .ioError
        logger.debug("usbredir: request \(id) refused: \(refusal)")
        switch request {
        case .control(var packet):
            packet.status = status
            packet.length = 0
            send(id, .controlPacket(packet))
        case .bulk(let endpoint, _):
            send(id, .bulkPacket(BulkPacket(endpoint: endpoint, status: status, length: 0)))
        case .interruptOut(let endpoint, _):
            send(id, .interruptPacket(DataPacket(endpoint: endpoint, status: status, length: 0)))
        case .setConfiguration, .getConfiguration:
            send(id, .configurationStatus(status, configuration: currentConfiguration))
        case .setAlternateSetting(let interface, let alternate):
            send(id, .alternateSettingStatus(status, interface: interface, alternate: alternate))
        case .getAlternateSetting(let interface):
            send(id, .alternateSettingStatus(status, interface: interface, alternate: 0))
        case .interruptStream, .isochronousStream:
            // Ours, never refused.
            break
        }
    }

    /// Why a request does not reach the device.
    enum Refusal {
        /// Wrong endpoint, direction, length or id.
        case invalid
        /// Too much is pending.
        case error
    }

    private var currentConfiguration: UInt8 { port.firmware.enumeration(at: speed).currentConfiguration }

    /// ep_info and interface_info of what is active now; they go before the status that the guest waits for.
    private func announceInterfaces() {
        let enumeration = port.firmware.enumeration(at: speed)
        let announcement = Announcement(enumeration, unconfigured: enumeration.currentConfiguration == 0)
        endpoints = announcement.endpoints
        send(0, .endpointInfo(announcement.endpointInfo))
        send(0, .interfaceInfo(announcement.interfaceInfo))
    }
}

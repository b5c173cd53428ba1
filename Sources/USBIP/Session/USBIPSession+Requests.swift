import USBCore
import USBDevice
import USBIPCodec

extension USBIPSession {
    /// One request of the importer.
    func handle(_ request: URBRequestView) throws(USBIPError) {
        switch request {
        case .submit(let command, let bytes, let descriptors):
            try check(command.deviceID)
            // The one copy of OUT data: what the device gets outlives the read.
            let data = bytes.isEmpty ? [] : [UInt8](bytes)
            if command.endpoint == 0 {
                try control(command, data)
            } else {
                transfer(command, data, descriptors.isEmpty ? [] : IsochronousDescriptor.read(in: descriptors))
            }
        case .unlink(let command):
            try check(command.deviceID)
            unlink(command)
        }
    }

    private func check(_ found: UInt32) throws(USBIPError) {
        guard found == deviceID else { throw .deviceID(found, expected: deviceID) }
    }

    private func control(_ command: SubmitCommand, _ data: [UInt8]) throws(USBIPError) {
        let setup = command.setup
        let hasDataStage = setup.length > 0
        if hasDataStage, setup.direction != command.direction {
            throw .controlDirection(requestType: setup.requestType.rawValue)
        }
        if setup.isSetAddress {
            // The importer's host controller gives out addresses by itself; the device has one of ours already.
            return refuse(command, .success)
        }
        let isIn = hasDataStage && setup.direction == .in
        guard isIn || data.count == Int(setup.length) else { return refuse(command, .stall) }
        submit(
            PendingURB(
                sequenceNumber: command.sequenceNumber, address: command.address,
                length: isIn ? min(Int(command.length), Int(setup.length)) : data.count,
                shortNotOK: command.flags.contains(.shortNotOK), changesEndpoints: setup.changesEndpoints),
            command
        ) { .control($0, setup, data: data) }
    }

    private func transfer(_ command: SubmitCommand, _ data: [UInt8], _ descriptors: [IsochronousDescriptor]) {
        let length = Int(command.length)
        let isIsochronous = endpoints.isIsochronous(command.address)
        let urb = PendingURB(
            sequenceNumber: command.sequenceNumber, address: command.address, length: length,
            shortNotOK: command.flags.contains(.shortNotOK), packets: isIsochronous ? descriptors : nil)
        guard endpoints.isPresent(command.address) else { return refuse(urb, .stall) }
        guard length <= limits.codec.maximumTransferLength else { return refuse(urb, .messageTooLong) }
        var packets: [IsochronousPacket] = []
        for descriptor in descriptors {
            let (offset, size) = (Int(descriptor.offset), Int(descriptor.length))
            guard offset <= length, size <= length - offset else { return refuse(urb, .invalid) }
            packets.append(IsochronousPacket(offset: offset, length: size))
        }
        var flags: TransferFlags = []
        if command.flags.contains(.shortNotOK) { flags.insert(.shortNotOK) }
        if command.flags.contains(.zeroPacket) { flags.insert(.zeroPacket) }
        submit(urb, command) {
            command.direction == .in
                ? .in($0, command.endpoint, length: length, flags: flags, packets: packets)
                : .out($0, command.endpoint, data: data, flags: flags, packets: packets)
        }
    }

    private func submit(_ urb: PendingURB, _ command: SubmitCommand, _ transfer: (TransferID) -> Transfer) {
        guard urbs.count < limits.maximumPendingURBs, pendingBytes + urb.cost <= limits.maximumPendingBytes,
            let id = urbs.add(urb)
        else { return refuse(urb, .noMemory) }
        pendingBytes += urb.cost
        port.submit(transfer(id))
    }

    /// One RET_UNLINK, always; after the target's RET_SUBMIT where there is one.
    private func unlink(_ command: UnlinkCommand) {
        var status = URBStatus.success
        // Rare, and at most 4096 to look at.
        if let id = urbs.first(where: { $0.sequenceNumber == command.target }) {
            answersUnlinked = false
            unlinking = id
            port.cancel(id)
            unlinking = nil
            // No longer pending in any case; a device that had an answer ready has sent it ahead of ours.
            _ = urbs.remove(id)
            if !answersUnlinked { status = .unlinked }
        }
        guard end == nil else { return }
        staged.move(into: &outgoing)
        UnlinkReply(sequenceNumber: command.sequenceNumber, status: status).write(to: &outgoing)
        flushWhenFull()
        flushUnlessReading()
    }
}

extension SetupPacket {
    fileprivate var isSetAddress: Bool {
        standard == .setAddress && requestType == RequestType(.out, .standard, .device)
    }

    fileprivate var changesEndpoints: Bool {
        requestType.kind == .standard
            && (request == StandardRequest.setConfiguration.rawValue
                || request == StandardRequest.setInterface.rawValue)
    }
}

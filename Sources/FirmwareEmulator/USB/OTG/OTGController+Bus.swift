extension OTGController: ChipUSBController {
    var isSignallingResume: Bool { isPowered && deviceControl & DeviceControl.remoteWakeUp != 0 }

    var address: UInt8? { isAttached ? deviceAddress : nil }

    /// DCFG.DAD.
    var deviceAddress: UInt8 { UInt8(deviceConfiguration >> 4 & 0x7F) }

    private func answers(to address: UInt8) -> Bool {
        isAttached && !isInReset && (address == deviceAddress || address == previousAddress)
    }

    // MARK: Signalling

    func busReset() {
        guard isAttached else { return }
        wake()
        idleFrames = 0
        deviceConfiguration &= ~0x7F0
        previousAddress = nil
        for index in input.indices {
            if index > 0 {
                // All endpoints but 0 are gone (RM0090, USBAEP).
                input[index].control &= ~OTGEndpoint.Control.active
                output[index].control &= ~OTGEndpoint.Control.active
            }
            input[index].control |= OTGEndpoint.Control.nakStatus
            output[index].control |= OTGEndpoint.Control.nakStatus
        }
        isInReset = true
        events |= Event.reset
        updateLine()
    }

    func startOfFrame(_ number: UInt16) {
        guard isAttached else { return }
        if isInReset {
            isInReset = false
            events |= Event.enumerationDone
        }
        wake()
        idleFrames = 0
        frame = UInt32(number & 0x07FF)
        events |= Event.startOfFrame
        updateLine()
    }

    /// Tells of isochronous endpoints that were to be served in this frame, and were not.
    func endPeriodicFrame() {
        guard isAttached else { return }
        events |= Event.endOfPeriodicFrame
        let isOdd = frame & 1 == 1
        if input.contains(where: { $0.isIsochronous && $0.isActive && $0.isEnabled && $0.parity == isOdd }) {
            events |= Event.incompleteIn
        }
        if output.contains(where: { $0.isIsochronous && $0.isActive && $0.isEnabled && $0.parity == isOdd }) {
            events |= Event.incompleteOut
        }
        updateLine()
    }

    func idleFrame() {
        guard isAttached else { return }
        idleFrames = min(idleFrames + 1, 4)
        if idleFrames == 3, !isSuspended {
            isSuspended = true
            events |= Event.earlySuspend | Event.suspend
            updateLine()
        }
    }

    func resume() {
        guard isAttached else { return }
        wake()
        updateLine()
    }

    private func wake() {
        guard isSuspended else { return }
        isSuspended = false
        // The host's doing only: who wakes the bus by itself needs not be told.
        guard deviceControl & DeviceControl.remoteWakeUp == 0 else { return }
        events |= Event.wakeUp
    }

    // MARK: Transactions

    func setup(_ bytes: [UInt8], address: UInt8) -> Handshake {
        guard answers(to: address), bytes.count == 8 else { return .silence }
        // Room for three is reserved (RM0090 section 34.17.6).
        guard receive.setups < 3 else { return .silence }
        receive.append(.init(status: .setupData, endpoint: 0, data: bytes))
        receive.append(.init(status: .setupDone, endpoint: 0))
        if output[0].count > 0 { output[0].count -= 1 }
        for control in [\OTGController.input, \OTGController.output] {
            self[keyPath: control][0].control |= OTGEndpoint.Control.nakStatus
            self[keyPath: control][0].control &= ~OTGEndpoint.Control.stall
            self[keyPath: control][0].parity = true
        }
        activity &+= 1
        updateLine()
        return .acknowledged
    }

    func out(_ data: ArraySlice<UInt8>, toggle: Bool, address: UInt8, endpoint: UInt8) -> Handshake {
        let index = Int(endpoint)
        guard answers(to: address), output.indices.contains(index), output[index].isActive else {
            return .silence
        }
        if output[index].isIsochronous { return isochronousOut(data, index) }
        if output[index].isStalled { return .stalled }
        guard output[index].isEnabled else {
            output[index].interrupt |= OTGEndpoint.Interrupt.unserved
            updateLine()
            return .busy
        }
        guard !output[index].isNAKing, deviceControl & DeviceControl.outNAK == 0,
            receive.hasRoom(for: data.count, depth: receiveDepth)
        else { return .busy }
        // A repeated packet is acknowledged and dropped (USB 2.0 section 8.6.3).
        guard toggle == output[index].parity else { return .acknowledged }
        guard data.count <= output[index].packetSize else { return .silence }
        take(data, index)
        output[index].parity.toggle()
        return .acknowledged
    }

    private func isochronousOut(_ data: ArraySlice<UInt8>, _ index: Int) -> Handshake {
        guard output[index].isEnabled, output[index].parity == (frame & 1 == 1),
            data.count <= output[index].packetSize, receive.hasRoom(for: data.count, depth: receiveDepth)
        else { return .silence }
        take(data, index)
        return .silence
    }

    private func take(_ data: ArraySlice<UInt8>, _ index: Int) {
        receive.append(
            .init(status: .outData, endpoint: UInt8(index), data: Array(data), toggle: output[index].parity))
        output[index].size -= min(output[index].size, UInt32(data.count))
        if output[index].packets > 0 { output[index].packets -= 1 }
        if data.count < output[index].packetSize || output[index].packets == 0 {
            output[index].control &= ~OTGEndpoint.Control.enable
            output[index].control |= OTGEndpoint.Control.nakStatus
            receive.append(.init(status: .outDone, endpoint: UInt8(index)))
        }
        activity &+= 1
        updateLine()
    }

    func `in`(address: UInt8, endpoint: UInt8) -> InAnswer {
        let index = Int(endpoint)
        guard answers(to: address), input.indices.contains(index), input[index].isActive else {
            return .silence
        }
        let isIsochronous = input[index].isIsochronous
        if isIsochronous {
            guard input[index].isEnabled, input[index].parity == (frame & 1 == 1) else { return .silence }
        } else {
            if input[index].isStalled { return .stalled }
            guard input[index].isEnabled, !input[index].isNAKing, deviceControl & DeviceControl.inNAK == 0 else {
                return .busy
            }
        }
        let number = fifo(of: index)
        let packet: [UInt8]
        if let first = transmit[number].packets.first {
            packet = first
            transmit[number].pop()
        } else if input[index].size == 0, input[index].packets > 0 {
            packet = []
        } else {
            // The token came before the data.
            input[index].interrupt |= OTGEndpoint.Interrupt.unserved
            updateLine()
            return isIsochronous ? .silence : .busy
        }
        if index == 0, packet.isEmpty { previousAddress = nil }
        let toggle = input[index].parity
        if !isIsochronous { input[index].parity.toggle() }
        if input[index].packets > 0 { input[index].packets -= 1 }
        if input[index].packets == 0 {
            input[index].control &= ~OTGEndpoint.Control.enable
            input[index].interrupt |= OTGEndpoint.Interrupt.complete
        }
        activity &+= 1
        updateLine()
        return .data(packet, toggle: isIsochronous ? false : toggle)
    }
}

/// What happens on the wire: one call is one transaction.
extension RPUSBController: ChipUSBController {
    var isSignallingResume: Bool { isResuming && isSuspended }

    var address: UInt8? { isAttached ? address7 : nil }

    private func answers(to address: UInt8) -> Bool { isAttached && address == address7 }

    // MARK: Signalling

    func busReset() {
        guard isAttached else { return }
        isSuspended = false
        isResuming = false
        idleFrames = 0
        usesSecond = 0
        pendingPairs = 0
        status |= Status.busReset | Status.connected
        updateLine()
    }

    func startOfFrame(_ number: UInt16) {
        guard isAttached else { return }
        wake()
        idleFrames = 0
        frame = UInt32(number & 0x07FF)
        latch(Interrupt.startOfFrame)
        updateLine()
    }

    func endPeriodicFrame() {}

    func idleFrame() {
        guard isAttached else { return }
        idleFrames = min(idleFrames + 1, 4)
        guard idleFrames == 3, !isSuspended else { return }
        isSuspended = true
        status |= Status.suspended
        latch(Interrupt.suspend)
        updateLine()
    }

    func resume() {
        guard isAttached else { return }
        wake()
        updateLine()
    }

    private func wake() {
        guard isSuspended else { return }
        isSuspended = false
        isResuming = false
        status &= ~Status.suspended
        status |= Status.resume
        latch(Interrupt.suspend | Interrupt.resume)
    }

    // MARK: Transactions

    /// SETUP is taken always (section 4.1.2.5.4).
    func setup(_ bytes: [UInt8], address: UInt8) -> Handshake {
        guard answers(to: address), bytes.count == 8 else { return .silence }
        for (index, byte) in bytes.enumerated() { memory[index] = byte }
        disarmStall()
        usesSecond &= ~3
        pendingPairs &= ~3
        status |= Status.setup
        activity &+= 1
        updateLine()
        return .acknowledged
    }

    func out(_ data: ArraySlice<UInt8>, toggle: Bool, address: UInt8, endpoint: UInt8) -> Handshake {
        let endpoint = RPEndpoint(number: Int(endpoint & 15), isIn: false)
        guard answers(to: address), let control = endpointControl(endpoint) else { return .silence }
        var (buffer, isSecond) = nextBuffer(endpoint, control)
        if !control.isIsochronous {
            if isStalled(endpoint, buffer) { return refuse(endpoint, .stalled, tells: control.interruptsOnStall) }
            guard buffer.isAvailable else { return refuse(endpoint, .busy, tells: control.interruptsOnNAK) }
            // A repeated packet is acknowledged and dropped (USB 2.0 section 8.6.3).
            guard toggle == buffer.toggle else {
                status |= Status.sequenceError
                updateLine()
                return .acknowledged
            }
        } else if !buffer.isAvailable {
            return .silence
        }
        guard data.count <= buffer.length else {
            status |= Status.overflow
            updateLine()
            return .silence
        }
        let place = bufferPlace(endpoint, control, isSecond: isSecond)
        guard place + data.count <= Self.memorySize else { return .silence }
        for (index, byte) in data.enumerated() { memory[place + index] = byte }
        let isShort = data.count < buffer.length
        buffer.finishOut(data.count)
        finish(endpoint, control, buffer, isSecond: isSecond, endsTransfer: buffer.isLast || isShort)
        return control.isIsochronous ? .silence : .acknowledged
    }

    func `in`(address: UInt8, endpoint: UInt8) -> InAnswer {
        let endpoint = RPEndpoint(number: Int(endpoint & 15), isIn: true)
        guard answers(to: address), let control = endpointControl(endpoint) else { return .silence }
        var (buffer, isSecond) = nextBuffer(endpoint, control)
        if !control.isIsochronous, isStalled(endpoint, buffer) {
            _ = refuse(endpoint, .stalled, tells: control.interruptsOnStall)
            return .stalled
        }
        guard buffer.isAvailable, buffer.isFull else {
            if control.isIsochronous { return .silence }
            _ = refuse(endpoint, .busy, tells: control.interruptsOnNAK)
            return .busy
        }
        let place = bufferPlace(endpoint, control, isSecond: isSecond)
        let count = min(buffer.length, max(0, Self.memorySize - place))
        let packet = Array(UnsafeBufferPointer(start: memory + min(place, Self.memorySize - 1), count: count))
        let toggle = buffer.toggle
        buffer.finishIn()
        finish(endpoint, control, buffer, isSecond: isSecond, endsTransfer: buffer.isLast)
        return .data(packet, toggle: control.isIsochronous ? false : toggle)
    }

    // MARK: Buffers

    /// Nil when the endpoint does not exist.
    private func endpointControl(_ endpoint: RPEndpoint) -> RPEndpointControl? {
        guard endpoint.number > 0 else { return RPEndpointControl(endpoint0: control) }
        let found = RPEndpointControl(word: word(at: endpoint.controlOffset))
        return found.isEnabled ? found : nil
    }

    private func nextBuffer(_ endpoint: RPEndpoint, _ control: RPEndpointControl) -> (BufferControl, isSecond: Bool) {
        var word = word(at: endpoint.bufferOffset)
        if BufferControl(bits: word & 0xFFFF).resetsSelection {
            usesSecond &= ~endpoint.bit
            pendingPairs &= ~endpoint.bit
            word &= ~(1 << 12)
            setWord(at: endpoint.bufferOffset, word)
        }
        let isSecond = control.isDoubleBuffered && usesSecond & endpoint.bit != 0
        return (BufferControl(bits: isSecond ? word >> 16 : word & 0xFFFF), isSecond)
    }

    private func bufferPlace(_ endpoint: RPEndpoint, _ control: RPEndpointControl, isSecond: Bool) -> Int {
        let upper = word(at: endpoint.bufferOffset) >> 16
        return control.bufferAddress + (isSecond ? control.secondOffset(upper) : 0)
    }

    /// Endpoint 0 stalls only when armed for this request.
    private func isStalled(_ endpoint: RPEndpoint, _ buffer: BufferControl) -> Bool {
        buffer.isStalled && (endpoint.number > 0 || isStallArmed(endpoint.stallBit))
    }

    private func refuse(_ endpoint: RPEndpoint, _ answer: Handshake, tells: Bool) -> Handshake {
        if tells {
            stalledOrNAKed |= endpoint.bit
            updateLine()
        }
        return answer
    }

    private func finish(
        _ endpoint: RPEndpoint, _ control: RPEndpointControl, _ buffer: BufferControl, isSecond: Bool,
        endsTransfer: Bool
    ) {
        let old = word(at: endpoint.bufferOffset)
        let bits = buffer.bits & 0xFFFF
        setWord(
            at: endpoint.bufferOffset, isSecond ? old & 0xFFFF | bits << 16 : old & 0xFFFF_0000 | bits)
        if control.isDoubleBuffered { usesSecond ^= endpoint.bit }
        if isSecond { secondBuffers |= endpoint.bit } else { secondBuffers &= ~endpoint.bit }
        status |= Status.acknowledged
        if endsTransfer { status |= Status.complete }
        if control.interruptsPerBuffer {
            buffersDone |= endpoint.bit
        } else if control.interruptsPerPair {
            // After both, or at the end of the transfer.
            if endsTransfer || pendingPairs & endpoint.bit != 0 {
                pendingPairs &= ~endpoint.bit
                buffersDone |= endpoint.bit
            } else {
                pendingPairs |= endpoint.bit
            }
        }
        activity &+= 1
        updateLine()
    }
}

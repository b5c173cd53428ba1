import USBCore

extension FSDEV: USBDeviceController {
    public var isSignallingResume: Bool { control & Control.resume != 0 && control & Control.forceReset == 0 }

    public var address: UInt8? {
        guard isListening, deviceAddress & 0x80 != 0 else { return nil }
        return UInt8(deviceAddress & 0x7F)
    }

    /// Powered and out of reset.
    private var isListening: Bool { isClocked && control & (Control.powerDown | Control.forceReset) == 0 }

    // MARK: Signalling

    public func busReset() {
        guard isListening else { return }
        // SE0 until the first frame: firmware tells a reset from noise by it.
        lineState = 0
        wake()
        resetBlock()
        updateLines()
    }

    public func startOfFrame(_ number: UInt16) {
        guard isListening else { return }
        wake()
        idleFrames = 0
        lineState = FrameNumber.idle | FrameNumber.locked
        frame = number & 0x07FF
        events |= Event.startOfFrame
        updateLines()
    }

    /// It has no notion of it.
    public func endPeriodicFrame() {}

    public func idleFrame() {
        guard isListening else { return }
        // In forced suspend only a device that drives resume itself counts on.
        guard control & Control.forceSuspend == 0 || isSignallingResume else { return }
        lineState = isSignallingResume ? FrameNumber.resuming : FrameNumber.idle
        // FNR.LSOF counts missing frames.
        frame = frame & 0x07FF | UInt16(min(idleFrames + 1, 3)) << 11
        events |= Event.expectedFrame
        idleFrames += 1
        if idleFrames == 3 { events |= Event.suspend }
        updateLines()
    }

    public func resume() {
        guard isListening else { return }
        lineState = FrameNumber.resuming
        wake()
        updateLines()
    }

    /// The first bus activity since the firmware has suspended the block.
    private func wake() {
        guard control & Control.forceSuspend != 0, isDormant else { return }
        isDormant = false
        control &= ~Control.lowPower
        events |= Event.wakeUp
    }

    // MARK: Transactions

    public func setup(_ bytes: [UInt8], address: UInt8) -> Handshake {
        guard self.address == address, bytes.count == 8,
            let index = endpoints.firstIndex(where: {
                $0.endpoint == 0 && $0.type == .control && $0.receive != .disabled
            })
        else { return .silence }
        // A setup packet still unread is never overwritten; the host tries again.
        guard !endpoints[index].hasReceived else { return .silence }
        guard capacity(countAt: entry(index) + 6) >= 8 else { return overrun() }
        receive(bytes[...], index: index, addressAt: entry(index) + 4, countAt: entry(index) + 6)
        endpoints[index].value |= EndpointRegister.received | EndpointRegister.setup
        endpoints[index].receive = .nak
        endpoints[index].transmit = .nak
        endpoints[index].receiveToggle = true
        endpoints[index].transmitToggle = true
        updateLines()
        return .acknowledged
    }

    public func out(_ data: ArraySlice<UInt8>, toggle: Bool, address: UInt8, endpoint: UInt8) -> Handshake {
        guard self.address == address,
            let index = endpoints.firstIndex(where: { $0.endpoint == endpoint && $0.receive != .disabled })
        else { return .silence }
        let register = endpoints[index]
        if register.type == .isochronous { return isochronousOut(data, index: index) }
        switch register.receive {
        case .disabled: return .silence
        case .stall: return .stalled
        case .nak: return .busy
        case .valid: break
        }
        // STATUS_OUT: only an empty packet ends a control read (RM0091, EP_KIND).
        if register.type == .control, register.isKindSet, !data.isEmpty {
            endpoints[index].receive = .stall
            activity &+= 1
            return .stalled
        }
        if register.isDoubleBuffered, register.receiveToggle == register.transmitToggle { return .busy }
        // A repeated packet is acknowledged and dropped (USB 2.0 section 8.6.3).
        guard toggle == register.receiveToggle else { return .acknowledged }
        let slot = entry(index) + (register.isDoubleBuffered && !register.receiveToggle ? 0 : 4)
        guard capacity(countAt: slot + 2) >= data.count else { return overrun() }
        receive(data, index: index, addressAt: slot, countAt: slot + 2)
        endpoints[index].value &= ~EndpointRegister.setup
        endpoints[index].value |= EndpointRegister.received
        endpoints[index].receiveToggle.toggle()
        if !register.isDoubleBuffered { endpoints[index].receive = .nak }
        updateLines()
        return .acknowledged
    }

    /// No handshake, no toggle check; the block's buffer is the one that DTOG_RX points to.
    private func isochronousOut(_ data: ArraySlice<UInt8>, index: Int) -> Handshake {
        let slot = entry(index) + (endpoints[index].receiveToggle ? 4 : 0)
        guard capacity(countAt: slot + 2) >= data.count else { return overrun() }
        receive(data, index: index, addressAt: slot, countAt: slot + 2)
        endpoints[index].value |= EndpointRegister.received
        endpoints[index].receiveToggle.toggle()
        updateLines()
        return .silence
    }

    public func `in`(address: UInt8, endpoint: UInt8) -> InAnswer {
        guard self.address == address,
            let index = endpoints.firstIndex(where: { $0.endpoint == endpoint && $0.transmit != .disabled })
        else { return .silence }
        let register = endpoints[index]
        if register.type != .isochronous {
            switch register.transmit {
            case .disabled: return .silence
            case .stall: return .stalled
            case .nak: return .busy
            case .valid: break
            }
            if register.isDoubleBuffered, register.receiveToggle == register.transmitToggle { return .busy }
        }
        let slot = entry(index) + (register.isUrgent && register.transmitToggle ? 4 : 0)
        let data = bytes(at: Int(half(at: slot)), count: Int(half(at: slot + 2) & 0x03FF))
        endpoints[index].value |= EndpointRegister.transmitted
        endpoints[index].transmitToggle.toggle()
        if !register.isUrgent { endpoints[index].transmit = .nak }
        activity &+= 1
        updateLines()
        return .data(data, toggle: register.type == .isochronous ? false : register.transmitToggle)
    }

    // MARK: Buffers

    /// Address of a buffer table entry: ADDR_TX, COUNT_TX, ADDR_RX, COUNT_RX.
    private func entry(_ index: Int) -> Int { Int(bufferTable) + 8 * index }

    /// Bytes that fit a receive buffer: BL_SIZE and NUM_BLOCK (RM0091 table 128).
    ///
    /// No blocks at all are not allowed, and the chips then look at nothing: boot loaders that never write it work.
    private func capacity(countAt position: Int) -> Int {
        let word = half(at: position)
        let blocks = Int(word >> 10 & 0x1F)
        guard word & 0xFC00 != 0 else { return 1023 }
        return word & 0x8000 != 0 ? (blocks + 1) * 32 : blocks * 2
    }

    private func receive(_ data: ArraySlice<UInt8>, index: Int, addressAt: Int, countAt: Int) {
        store(data, at: Int(half(at: addressAt)))
        setHalf(at: countAt, half(at: countAt) & 0xFC00 | UInt16(min(data.count, 1023)))
        activity &+= 1
    }

    private func overrun() -> Handshake {
        events |= Event.overrun
        updateLines()
        return .silence
    }
}

import USBCore

/// Control transfers: SETUP, data and status stage on endpoint 0 (USB 2.0 section 8.5.3).
extension BusScheduler {
    /// A control transaction may be made now: there is one, and asking is not known to be useless.
    var controlIsEligible: Bool {
        guard control != nil || state == .ready && !pipes[0].queue.isEmpty else { return false }
        guard frame >= controlEligibleFrame else { return false }
        return controlBusyAtActivity == nil || controlBusyAtActivity != controller.activity
    }

    /// Takes the guest's next request, when none is under way.
    func startControl() {
        guard control == nil, state == .ready, let transfer = pipes[0].queue.popFirst() else { return }
        guard let setup = transfer.transfer.setup else { return finish(transfer, .error) }
        // The data stage must have the length that the setup packet says.
        guard setup.direction == .in || transfer.transfer.data.count == Int(setup.length) else {
            return finish(transfer, .error)
        }
        control = ControlExecution(.guest(transfer), setup, data: transfer.transfer.data)
        controlBusyAtActivity = nil
        controlEligibleFrame = 0
    }

    func controlTransaction() {
        guard var execution = control else { return }
        let address = controlAddress
        switch execution.stage {
        case .setup:
            let answer = controller.setup(execution.setup.bytes, address: address)
            occupy(payload: 8)
            guard answer == .acknowledged else { return refused(answer) }
            execution.stage = execution.afterSetup
            execution.toggle = true
        case .dataOut, .statusOut:
            let end = min(execution.sent + packetSize0, execution.data.count)
            let packet = execution.stage == .dataOut ? execution.data[execution.sent..<end] : []
            let answer = controller.out(packet, toggle: execution.toggle, address: address, endpoint: 0)
            occupy(payload: answer == .busy ? packet.count : packet.count)
            guard answer == .acknowledged else { return refused(answer) }
            if execution.stage == .statusOut { return controlEnded(.success(execution.received)) }
            execution.toggle.toggle()
            execution.sent = end
            if end == execution.data.count {
                execution.stage = .statusIn
                execution.toggle = true
            }
        case .dataIn, .statusIn:
            let answer = controller.in(address: address, endpoint: 0)
            guard case .data(let packet, let toggle) = answer else {
                occupy(payload: 0, overhead: 8)
                return refused(answer)
            }
            occupy(payload: packet.count)
            // A packet that was sent twice is acknowledged and dropped.
            guard toggle == execution.toggle else { break }
            guard execution.stage == .dataIn else { return controlEnded(.success(execution.received)) }
            execution.received += packet
            execution.toggle.toggle()
            let asked = Int(execution.setup.length)
            guard execution.received.count <= asked, packet.count <= packetSize0 else { return controlEnded(.babble) }
            if execution.received.count == asked || packet.count < packetSize0 {
                execution.stage = .statusOut
                execution.toggle = true
                controlNotBefore = now + Self.stageGap
            }
        }
        execution.silentTries = 0
        controlBusyAtActivity = nil
        control = execution
    }

    /// Until SET_ADDRESS has taken effect the device answers to 0; some firmware sets DADDR late.
    private var controlAddress: UInt8 {
        if let setup = control?.setup, control?.owner == .host, setup.standard == .setAddress { return 0 }
        return Self.deviceAddress
    }

    private func refused(_ answer: Handshake) {
        switch answer {
        case .acknowledged: break
        case .busy: controlBusyAtActivity = controller.activity
        case .stalled: controlEnded(.stall)
        case .silence: silent()
        }
    }

    private func refused(_ answer: InAnswer) {
        switch answer {
        case .data: break
        case .busy: controlBusyAtActivity = controller.activity
        case .stalled: controlEnded(.stall)
        case .silence: silent()
        }
    }

    /// No answer: once more in the next frame, since firmware may still be busy with the packet before.
    private func silent() {
        controlEligibleFrame = frame + 1
        controlBusyAtActivity = nil
        guard var execution = control else { return }
        execution.silentTries += 1
        control = execution
        if execution.silentTries > Self.silentTries * 5 { controlEnded(.silence) }
    }

    private func controlEnded(_ result: ControlExecution.Result) {
        controlBusyAtActivity = nil
        controlEligibleFrame = 0
        controlNotBefore = now + Self.stageGap
        guard let execution = control else { return }
        guard case .guest(let transfer) = execution.owner else { return hostRequestEnded(result) }
        control = nil
        switch result {
        case .success(let data):
            settle(execution.setup)
            if transfer.transfer.endpoint.direction == .in {
                let isShort = data.count < transfer.transfer.length && transfer.transfer.flags.contains(.shortNotOK)
                finish(transfer, isShort ? .shortPacket : .success, data: data)
            } else {
                finish(transfer, .success, actualLength: execution.data.count)
            }
        case .stall: finish(transfer, .stall, data: execution.received)
        case .babble: finish(transfer, .babble, data: Array(execution.received.prefix(Int(execution.setup.length))))
        case .silence: finish(transfer, .error)
        }
    }

    /// What a request that the device accepted means for the pipes.
    private func settle(_ setup: SetupPacket) {
        switch setup.standard {
        case .setConfiguration where setup.requestType == RequestType(.out, .standard, .device):
            configuration = UInt8(truncatingIfNeeded: setup.value)
            isHostEnumerating = false
            for index in pipes.indices where index & 15 != 0 { pipes[index].restart() }
            configure { $0.alternateSetting == 0 }
        case .setInterface where setup.requestType == RequestType(.out, .standard, .interface):
            configure {
                $0.alternateSetting == UInt8(truncatingIfNeeded: setup.value)
                    && $0.interfaceNumber == UInt8(truncatingIfNeeded: setup.index)
            }
        case .clearFeature
        where setup.requestType == RequestType(.out, .standard, .endpoint)
            && setup.value == FeatureSelector.endpointHalt:
            pipes[EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index)).index].restart()
        default: break
        }
    }

    private func configure(_ isInForce: (InterfaceDescriptor) -> Bool) {
        let found = device?.enumeration.configurations.first { $0.configurationValue == configuration }
        for interface in found?.interfaces ?? [] where isInForce(interface) {
            for endpoint in interface.endpoints where endpoint.address.number != 0 {
                pipes[endpoint.address.index].configure(endpoint)
            }
        }
    }
}

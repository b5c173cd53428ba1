import USBCore

extension SimulatedDevice {
    /// Answers one control transfer; a request that the device does not know stalls (USB 2.0 section 9.2.7).
    func control(_ transfer: Transfer) {
        guard let setup = transfer.setup else {
            finish(transfer, .error)
            return
        }
        // The data stage must have the length that the setup packet says; a wire that lies would desynchronise a class.
        if setup.direction == .out, transfer.data.count != Int(setup.length) {
            finish(transfer, .stall)
            return
        }
        let reply =
            switch setup.requestType.kind {
            case .standard: standardRequest(setup)
            case .class, .vendor: classOrVendorRequest(setup, data: transfer.data)
            case .reserved: ControlReply.stall
            }
        switch reply {
        case .stall: finish(transfer, .stall)
        case .acknowledge(let data):
            if transfer.endpoint.direction == .in {
                finish(transfer, .success, data: Array(data.prefix(min(Int(setup.length), transfer.length))))
            } else {
                finish(transfer, .success, actualLength: transfer.data.count)
            }
        }
    }

    private func standardRequest(_ setup: SetupPacket) -> ControlReply {
        switch setup.standard {
        case .getDescriptor where setup.requestType == RequestType(.in, .standard, .device): descriptor(setup)
        case .getDescriptor where setup.requestType == RequestType(.in, .standard, .interface):
            classDescriptor(setup)
        case .getStatus where setup.direction == .in: status(setup)
        case .setFeature where setup.direction == .out: feature(setup, set: true)
        case .clearFeature where setup.direction == .out: feature(setup, set: false)
        case .getConfiguration where setup.requestType == RequestType(.in, .standard, .device):
            .acknowledge([state.configuration])
        case .setConfiguration where setup.requestType == RequestType(.out, .standard, .device):
            setConfiguration(setup.value)
        case .getInterface where setup.requestType == RequestType(.in, .standard, .interface): alternateSetting(setup)
        case .setInterface where setup.requestType == RequestType(.out, .standard, .interface):
            setAlternateSetting(setup)
        case .setAddress where setup.requestType == RequestType(.out, .standard, .device): setAddress(setup.value)
        case .setSEL
        where state.composition?.speed == .super && setup.requestType == RequestType(.out, .standard, .device):
            setup.length == 6 ? .acknowledge() : .stall
        case .setIsochronousDelay
        where state.composition?.speed == .super && setup.requestType == RequestType(.out, .standard, .device):
            .acknowledge()
        default: .stall
        }
    }

    private func setAddress(_ value: UInt16) -> ControlReply {
        guard value < 128, state.configuration == 0 else { return .stall }
        state.address = UInt8(value)
        return .acknowledge()
    }

    private func setConfiguration(_ value: UInt16) -> ControlReply {
        guard let configuration = state.composition?.configuration,
            value == 0 || value == UInt16(configuration.configurationValue)
        else { return .stall }
        // Again while a completion has made the host configure in between: parked transfers must not be forgotten. When
        // a completion has unplugged the device, this request is over already.
        let connection = state.number
        repeat { leaveConfiguration() } while state.configuration != 0
        guard state.number == connection else { return .stall }
        if value != 0 { enterConfiguration(UInt8(value)) }
        port?.report(.configured(UInt8(value)))
        return .acknowledge()
    }

    private func alternateSetting(_ setup: SetupPacket) -> ControlReply {
        guard state.configuration != 0, interfaceOwner(setup.index) != nil else { return .stall }
        return .acknowledge([state.alternateSettings[UInt8(setup.index)] ?? 0])
    }

    private func setAlternateSetting(_ setup: SetupPacket) -> ControlReply {
        guard state.configuration != 0, let owner = interfaceOwner(setup.index),
            Int(setup.value) < owner.alternates.count
        else { return .stall }
        select(alternate: UInt8(setup.value), ofInterface: UInt8(setup.index))
        return .acknowledge()
    }

    /// GET_STATUS (USB 2.0 section 9.4.5, USB 3.2 section 9.4.5).
    private func status(_ setup: SetupPacket) -> ControlReply {
        switch setup.requestType.recipient {
        case .device:
            // Self-powered, no remote wake-up; U1 and U2 enables exist at super speed only.
            let flags: UInt8 = 1 | (state.u1Enabled ? 4 : 0) | (state.u2Enabled ? 8 : 0)
            return .acknowledge([flags, 0])
        case .interface:
            guard state.configuration != 0, interfaceOwner(setup.index) != nil else { return .stall }
            return .acknowledge([0, 0])
        case .endpoint:
            if setup.index & 0x7F == 0 { return .acknowledge([0, 0]) }
            guard let queue = queue(wIndex: setup.index) else { return .stall }
            return .acknowledge([queue.isHalted ? 1 : 0, 0])
        case .other, .reserved:
            return .stall
        }
    }

    /// SET_FEATURE and CLEAR_FEATURE (USB 2.0 sections 9.4.1 and 9.4.9).
    private func feature(_ setup: SetupPacket, set: Bool) -> ControlReply {
        switch (setup.requestType.recipient, setup.value) {
        case (.endpoint, FeatureSelector.endpointHalt):
            // Endpoint 0 clears itself at the next SETUP; a host may ask all the same.
            if setup.index & 0x7F == 0 { return .acknowledge() }
            guard let queue = queue(wIndex: setup.index) else { return .stall }
            if set {
                halt(queue)
            } else {
                queue.isHalted = false
                functions[queue.owner.function].endpointReady(queue.owner.key)
                pump(queue)
            }
            return .acknowledge()
        case (.device, FeatureSelector.u1Enable) where state.composition?.speed == .super && state.configuration != 0:
            state.u1Enabled = set
            return .acknowledge()
        case (.device, FeatureSelector.u2Enable) where state.composition?.speed == .super && state.configuration != 0:
            state.u2Enabled = set
            return .acknowledge()
        case (.interface, FeatureSelector.functionSuspend)
        where state.composition?.speed == .super && state.configuration != 0:
            return interfaceOwner(setup.index & 0xFF) == nil ? .stall : .acknowledge()
        default:
            return .stall
        }
    }

    /// GET_DESCRIPTOR (USB 2.0 section 9.4.3).
    private func descriptor(_ setup: SetupPacket) -> ControlReply {
        guard let composition = state.composition else { return .stall }
        if !state.announcedEnumeration {
            state.announcedEnumeration = true
            port?.report(.enumerating)
        }
        let index = UInt8(truncatingIfNeeded: setup.value)
        switch (UInt8(truncatingIfNeeded: setup.value >> 8), index) {
        case (DescriptorType.device, 0):
            return .acknowledge(composition.device.bytes)
        case (DescriptorType.configuration, 0):
            return .acknowledge(composition.configuration.bytes)
        case (DescriptorType.binaryObjectStore, 0):
            return .acknowledge(composition.binaryObjectStore.bytes)
        case (DescriptorType.string, 0):
            return .acknowledge(StringDescriptor.languages([StringDescriptor.englishUS]))
        case (DescriptorType.string, _):
            guard setup.index == StringDescriptor.englishUS, Int(index) <= composition.strings.count else {
                return .stall
            }
            return .acknowledge(StringDescriptor.bytes(composition.strings[Int(index) - 1]))
        case (DescriptorType.deviceQualifier, 0):
            return otherSpeedComposition.map { .acknowledge($0.device.qualifierBytes) } ?? .stall
        case (DescriptorType.otherSpeedConfiguration, 0):
            return otherSpeedComposition.map { .acknowledge($0.configuration.otherSpeedBytes) } ?? .stall
        default:
            return .stall
        }
    }

    /// GET_DESCRIPTOR to an interface: its class's own descriptors (HID 1.11 section 7.1.1).
    private func classDescriptor(_ setup: SetupPacket) -> ControlReply {
        guard let owner = interfaceOwner(setup.index) else { return .stall }
        return functions[owner.function].control(setup, data: [], interface: owner.offset)
    }

    /// What the device would be at high speed when it runs at full, and the reverse; nil for a device of one speed.
    private var otherSpeedComposition: Composition? {
        let other: Speed? =
            switch state.composition?.speed {
            case .full: .high
            case .high: .full
            default: nil
            }
        guard let other, speeds.contains(other) else { return nil }
        return try? compose(at: other)
    }

    private func classOrVendorRequest(_ setup: SetupPacket, data: [UInt8]) -> ControlReply {
        guard let composition = state.composition else { return .stall }
        if setup.requestType == RequestType(.in, .vendor, .device),
            setup.request == Composition.microsoftVendorCode, setup.index == MicrosoftOS20.descriptorIndex,
            !composition.microsoft.functions.isEmpty
        {
            return .acknowledge(composition.microsoft.bytes)
        }
        guard state.configuration != 0 else { return .stall }
        switch setup.requestType.recipient {
        case .interface:
            guard let owner = interfaceOwner(addressedInterface(setup)) else { return .stall }
            let function = functions[owner.function]
            let reply = function.control(setup, data: data, interface: owner.offset)
            guard case .stall = reply, let wholeDevice = ReleaseRequest.wholeDevice(setup) else { return reply }
            // Any device and any interface can be given back, whatever it is.
            port?.report(.releaseRequested(interface: wholeDevice ? nil : function.name))
            return .acknowledge()
        case .endpoint:
            guard let queue = queue(wIndex: setup.index), let owner = interfaceOwner(UInt16(queue.owner.interface))
            else { return .stall }
            return functions[owner.function].control(setup, data: data, interface: owner.offset)
        case .device, .other, .reserved:
            return .stall
        }
    }

    /// The interface that wIndex names: in its high byte when GET_DEVICE_ID asks a printer (Printing Devices 1.1
    /// section 4.2.1), else in the low one.
    private func addressedInterface(_ setup: SetupPacket) -> UInt16 {
        let high = setup.index >> 8
        let isPrinter = state.composition?.configuration.interfaces.contains {
            UInt16($0.interfaceNumber) == high && $0.interfaceClass == 0x07
        }
        let asksForID = setup.requestType == RequestType(.in, .class, .interface) && setup.request == 0
        return high > 0 && asksForID && isPrinter == true ? high : setup.index & 0xFF
    }

    private func interfaceOwner(_ index: UInt16) -> Composition.InterfaceOwner? {
        guard let interfaces = state.composition?.interfaces, Int(index) < interfaces.count else { return nil }
        return interfaces[Int(index)]
    }

    private func queue(wIndex index: UInt16) -> EndpointQueue? {
        guard index & 0xFF70 == 0 else { return nil }
        return endpoints[EndpointAddress(rawValue: UInt8(index))]
    }
}

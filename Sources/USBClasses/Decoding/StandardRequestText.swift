import USBCore

/// Standard requests in words (USB 2.0 section 9.4, USB 3.2 section 9.4).
enum StandardRequestText {
    static func line(_ setup: SetupPacket, data: [UInt8]) -> String {
        switch setup.standard {
        case .getStatus: "GET_STATUS \(recipient(setup))"
        case .clearFeature: "CLEAR_FEATURE \(feature(setup))"
        case .setFeature: "SET_FEATURE \(feature(setup))"
        case .setAddress: "SET_ADDRESS \(setup.value)"
        case .getDescriptor: "GET_DESCRIPTOR \(descriptor(setup, data: data))"
        case .setDescriptor: "SET_DESCRIPTOR \(descriptor(setup, data: []))"
        case .getConfiguration: "GET_CONFIGURATION" + (data.first.map { " \($0)" } ?? "")
        case .setConfiguration: "SET_CONFIGURATION \(setup.value & 0xFF)"
        case .getInterface: "GET_INTERFACE interface \(setup.index)"
        case .setInterface: "SET_INTERFACE interface \(setup.index) alternate \(setup.value)"
        case .synchFrame: "SYNCH_FRAME endpoint \(endpoint(setup))"
        case .setSEL: "SET_SEL"
        case .setIsochronousDelay: "SET_ISOCH_DELAY \(setup.value) ns"
        case nil: "standard request \(Hex.byte(setup.request))"
        }
    }

    private static func recipient(_ setup: SetupPacket) -> String {
        switch setup.requestType.recipient {
        case .device: "device"
        case .interface: "interface \(setup.index & 0xFF)"
        case .endpoint: "endpoint \(endpoint(setup))"
        case .other, .reserved: "other"
        }
    }

    private static func endpoint(_ setup: SetupPacket) -> String {
        EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index)).description
    }

    private static func feature(_ setup: SetupPacket) -> String {
        let name =
            switch (setup.requestType.recipient, setup.value) {
            case (.endpoint, FeatureSelector.endpointHalt): "ENDPOINT_HALT"
            case (.interface, FeatureSelector.functionSuspend): "FUNCTION_SUSPEND"
            case (.device, FeatureSelector.deviceRemoteWakeup): "DEVICE_REMOTE_WAKEUP"
            case (.device, FeatureSelector.testMode): "TEST_MODE"
            case (.device, FeatureSelector.u1Enable): "U1_ENABLE"
            case (.device, FeatureSelector.u2Enable): "U2_ENABLE"
            case (.device, FeatureSelector.ltmEnable): "LTM_ENABLE"
            default: "\(setup.value)"
            }
        return setup.requestType.recipient == .device ? name : "\(name) \(recipient(setup))"
    }

    private static func descriptor(_ setup: SetupPacket, data: [UInt8]) -> String {
        let index = UInt8(truncatingIfNeeded: setup.value)
        switch UInt8(truncatingIfNeeded: setup.value >> 8) {
        case DescriptorType.device: return "device"
        case DescriptorType.configuration: return "configuration \(index)"
        case DescriptorType.string:
            // A language other than the first is worth seeing; the text is, too, when all of it is here.
            if index == 0 { return "string languages" }
            guard let length = data.first, Int(length) <= data.count,
                let text = try? StringDescriptor.text(parsing: data)
            else { return "string \(index)" }
            return "string \(index) \(PrintableText.quoted(Array(text.utf8), limit: 40))"
        case DescriptorType.deviceQualifier: return "device qualifier"
        case DescriptorType.otherSpeedConfiguration: return "other speed configuration \(index)"
        case DescriptorType.binaryObjectStore: return "BOS"
        case 0x21: return "HID interface \(setup.index & 0xFF)"
        case 0x22: return "HID report interface \(setup.index & 0xFF)"
        case 0x2A: return "super speed hub"
        case let type: return "type \(Hex.byte(type)) index \(index)"
        }
    }
}

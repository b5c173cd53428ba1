import USBCore
import USBDevice

/// Standard requests in words; everything else is left to the decoder of the class (USB 2.0 section 9.4).
public struct RequestDecoder: TransferDecoder {
    private let next: (TransferSummary) -> String

    /// - Parameter next: asked for what is not a standard request.
    public init(next: @escaping (TransferSummary) -> String = { _ in "" }) {
        self.next = next
    }

    public func line(for transfer: TransferSummary) -> String {
        guard let setup = transfer.setup, setup.requestType.kind == .standard else { return next(transfer) }
        guard let request = setup.standard else {
            return "standard request \(setup.request) wValue \(setup.value) wIndex \(setup.index)"
        }
        return switch request {
        case .getDescriptor: "GET_DESCRIPTOR \(Self.descriptor(setup))"
        case .setDescriptor: "SET_DESCRIPTOR \(Self.descriptor(setup))"
        case .getStatus: "GET_STATUS \(Self.recipient(setup))"
        case .setFeature: "SET_FEATURE \(Self.feature(setup)) \(Self.recipient(setup))"
        case .clearFeature: "CLEAR_FEATURE \(Self.feature(setup)) \(Self.recipient(setup))"
        case .setAddress: "SET_ADDRESS \(setup.value)"
        case .getConfiguration: "GET_CONFIGURATION"
        case .setConfiguration: "SET_CONFIGURATION \(setup.value)"
        case .getInterface: "GET_INTERFACE \(setup.index)"
        case .setInterface: "SET_INTERFACE \(setup.index) alternate \(setup.value)"
        case .synchFrame: "SYNCH_FRAME \(Self.recipient(setup))"
        case .setSEL: "SET_SEL"
        case .setIsochronousDelay: "SET_ISOCH_DELAY \(setup.value) ns"
        }
    }

    /// wIndex by recipient: nothing, an interface number, an endpoint address.
    private static func recipient(_ setup: SetupPacket) -> String {
        let index = UInt8(truncatingIfNeeded: setup.index)
        return switch setup.requestType.recipient {
        case .device: "device"
        case .interface: "interface \(index)"
        case .endpoint: "endpoint \(EndpointAddress(rawValue: index))"
        case .other, .reserved: "other \(setup.index)"
        }
    }

    private static func feature(_ setup: SetupPacket) -> String {
        switch (setup.requestType.recipient, setup.value) {
        case (.endpoint, FeatureSelector.endpointHalt): "halt"
        case (.interface, FeatureSelector.functionSuspend): "function-suspend"
        case (.device, FeatureSelector.deviceRemoteWakeup): "remote-wakeup"
        case (.device, FeatureSelector.testMode): "test-mode"
        case (.device, FeatureSelector.u1Enable): "u1"
        case (.device, FeatureSelector.u2Enable): "u2"
        case (.device, FeatureSelector.ltmEnable): "ltm"
        default: "\(setup.value)"
        }
    }

    private static func descriptor(_ setup: SetupPacket) -> String {
        let index = UInt8(truncatingIfNeeded: setup.value)
        return switch UInt8(truncatingIfNeeded: setup.value >> 8) {
        case DescriptorType.device: "device"
        case DescriptorType.configuration: "configuration \(index)"
        case DescriptorType.string: index == 0 ? "languages" : "string \(index)"
        case DescriptorType.deviceQualifier: "device-qualifier"
        case DescriptorType.otherSpeedConfiguration: "other-speed \(index)"
        case DescriptorType.binaryObjectStore: "bos"
        case 0x21: "hid"
        case 0x22: "hid-report"
        case 0x29, 0x2A: "hub"
        case let type: "type \(type) index \(index)"
        }
    }
}

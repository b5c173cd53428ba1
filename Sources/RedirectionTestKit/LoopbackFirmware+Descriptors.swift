import USBCore

extension LoopbackFirmware {
    /// Boot keyboard report descriptor (HID 1.11 appendix B.1, without its LEDs).
    private static let reportDescriptor: [UInt8] = [
        0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0x05, 0x07, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
        0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65,
        0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xC0,
    ]

    func deviceDescriptor(_ speed: Speed) -> DeviceDescriptor {
        DeviceDescriptor(
            usbRelease: speed == .super ? 0x0300 : 0x0200,
            maxPacketSize0: speed == .super ? 9 : UInt8(speed.controlPacketSize),
            idVendor: 0x1209, idProduct: 0x0001, deviceRelease: 0x0123, manufacturerIndex: 1, productIndex: 2)
    }

    func configurationDescriptor(_ speed: Speed) -> ConfigurationDescriptor {
        let companion = speed == .super ? SuperSpeedEndpointCompanion(bytesPerInterval: 0) : nil
        let periodic = speed == .super ? SuperSpeedEndpointCompanion(bytesPerInterval: 8) : nil
        let interval: UInt8 = speed < .high ? 8 : 7
        let keyboard = { (alternate: UInt8) in
            InterfaceDescriptor(
                interfaceNumber: 1, alternateSetting: alternate, interfaceClass: 3, interfaceSubClass: 1,
                interfaceProtocol: 1,
                classDescriptors: [[9, 0x21, 0x11, 0x01, 0, 1, 0x22, UInt8(Self.reportDescriptor.count), 0]],
                endpoints: [
                    EndpointDescriptor(
                        address: .keyboardIn, attributes: 3, maxPacketSizeWord: 8, interval: interval,
                        companion: periodic),
                    EndpointDescriptor(
                        address: .keyboardOut, attributes: 3, maxPacketSizeWord: 8, interval: interval,
                        companion: periodic),
                ])
        }
        let bulk = [EndpointAddress.bulkOut, .bulkIn].map {
            EndpointDescriptor(
                address: $0, attributes: 2, maxPacketSizeWord: UInt16(speed.bulkPacketSize ?? 8), interval: 0,
                companion: companion)
        }
        return ConfigurationDescriptor(
            interfaces: [
                InterfaceDescriptor(
                    interfaceNumber: 0, interfaceClass: 0xFF, interfaceSubClass: 0, interfaceProtocol: 0,
                    endpoints: speed == .low ? [] : bulk),
                keyboard(0), keyboard(1),
            ])
    }

    /// GET_DESCRIPTOR; nil stalls.
    func descriptor(_ type: UInt8, _ index: UInt8) -> [UInt8]? {
        let speed = port?.speed ?? .high
        switch type {
        case DescriptorType.device: return deviceDescriptor(speed).bytes
        case DescriptorType.configuration: return index == 0 ? configurationDescriptor(speed).bytes : nil
        case DescriptorType.binaryObjectStore where speed == .super:
            return BinaryObjectStore(
                capabilities: [BinaryObjectStore.usb20Extension, BinaryObjectStore.superSpeed]
            ).bytes
        case DescriptorType.string:
            switch index {
            case 0: return StringDescriptor.languages([StringDescriptor.englishUS])
            case 1: return StringDescriptor.bytes("2Virt")
            case 2: return StringDescriptor.bytes("Loopback")
            default: return nil
            }
        case 0x22: return Self.reportDescriptor
        default: return nil
        }
    }
}

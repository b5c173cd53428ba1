import USBCore

extension ScriptedFirmware {
    func deviceDescriptor(_ speed: Speed) -> DeviceDescriptor {
        DeviceDescriptor(
            usbRelease: speed == .super ? 0x0300 : 0x0200, deviceClass: 0xEF, deviceSubClass: 2, deviceProtocol: 1,
            maxPacketSize0: speed == .super ? 9 : UInt8(speed.controlPacketSize),
            idVendor: 0x1209, idProduct: 0x0001, deviceRelease: 0x0123, manufacturerIndex: 1, productIndex: 2)
    }

    func configurationDescriptor(_ speed: Speed) -> ConfigurationDescriptor {
        func endpoint(_ address: EndpointAddress, _ type: TransferType, _ size: Int, _ interval: UInt8 = 0)
            -> EndpointDescriptor
        {
            EndpointDescriptor(
                address: address, attributes: type.rawValue, maxPacketSizeWord: UInt16(size), interval: interval,
                companion: speed == .super ? SuperSpeedEndpointCompanion(bytesPerInterval: UInt16(size)) : nil)
        }
        let bulk = speed.bulkPacketSize ?? 8
        return ConfigurationDescriptor(
            interfaces: [
                InterfaceDescriptor(
                    interfaceNumber: 0, interfaceClass: 0xFF, interfaceSubClass: 1, interfaceProtocol: 2,
                    endpoints: [
                        endpoint(.scriptedBulkOut, .bulk, bulk), endpoint(.scriptedBulkIn, .bulk, bulk),
                        endpoint(.scriptedInterrupt, .interrupt, 8, 4),
                    ]),
                InterfaceDescriptor(interfaceNumber: 1, interfaceClass: 1, interfaceSubClass: 2, interfaceProtocol: 0),
                InterfaceDescriptor(
                    interfaceNumber: 1, alternateSetting: 1, interfaceClass: 1, interfaceSubClass: 2,
                    interfaceProtocol: 0,
                    endpoints: [
                        endpoint(.scriptedIsochronousOut, .isochronous, 192, speed < .high ? 1 : 4),
                        endpoint(.scriptedIsochronousIn, .isochronous, 192, speed < .high ? 1 : 4),
                    ]),
            ])
    }

    /// GET_DESCRIPTOR; nil stalls.
    func descriptor(_ type: UInt8, _ index: UInt8) -> [UInt8]? {
        let speed = port?.speed ?? .high
        switch type {
        case DescriptorType.device: return deviceDescriptor(speed).bytes
        case DescriptorType.configuration: return index == 0 ? configurationDescriptor(speed).bytes : nil
        case DescriptorType.binaryObjectStore where speed == .super:
            return BinaryObjectStore(capabilities: [BinaryObjectStore.usb20Extension, BinaryObjectStore.superSpeed])
                .bytes
        case DescriptorType.string:
            switch index {
            case 0: return StringDescriptor.languages([StringDescriptor.englishUS])
            case 1: return StringDescriptor.bytes("2Virt")
            case 2: return StringDescriptor.bytes("Scripted")
            default: return nil
            }
        default: return nil
        }
    }
}

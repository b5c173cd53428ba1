import USBDevice
import USBIPCodec

extension ListedDevice {
    /// What a device tells importers, from the descriptors it has now.
    init(_ device: ExportedDevice, busID: BusID, enumeration: Enumeration) {
        let descriptor = enumeration.device
        // Without a configuration in force there are no interfaces to list (Linux reads those of the active one).
        let interfaces = enumeration.currentConfiguration == 0 ? [] : enumeration.presentInterfaces
        self.init(
            record: DeviceRecord(
                path: "/2virt/\(device.name)", busID: busID, busNumber: UInt32(device.busNumber),
                deviceNumber: UInt32(device.deviceNumber), speed: WireSpeed(enumeration.speed),
                idVendor: descriptor.idVendor, idProduct: descriptor.idProduct,
                deviceRelease: descriptor.deviceRelease, deviceClass: descriptor.deviceClass,
                deviceSubClass: descriptor.deviceSubClass, deviceProtocol: descriptor.deviceProtocol,
                configurationValue: enumeration.currentConfiguration,
                configurationCount: UInt8(clamping: enumeration.configurations.count), interfaceCount: 0),
            interfaces: interfaces.map {
                InterfaceRecord($0.interfaceClass, $0.interfaceSubClass, $0.interfaceProtocol)
            }
        )
    }
}

import USBCore
import USBDevice

/// What a device's enumeration reads as in usbredir: the packets before and with device_connect.
struct Announcement: Equatable {
    let endpointInfo: EndpointInfo
    let interfaceInfo: InterfaceInfo
    let deviceConnect: DeviceConnect
    /// Endpoints other than 0, by `EndpointAddress.index`.
    let endpoints: [Int: AnnouncedEndpoint]

    /// `unconfigured`: the guest has chosen configuration 0, so that no interface is active. Before the guest has
    /// chosen any, the first configuration is announced, for its filter and its choice of controller.
    init(_ enumeration: Enumeration, unconfigured: Bool = false) {
        let speed = enumeration.speed
        let interfaces = unconfigured ? [] : enumeration.presentInterfaces
        var info = EndpointInfo()
        let control = EndpointInfo.Entry(
            type: TransferType.control.rawValue, maxPacketSize: UInt16(speed.controlPacketSize))
        info[EndpointAddress.controlOut.index] = control
        info[EndpointAddress.controlIn.index] = control
        var endpoints: [Int: AnnouncedEndpoint] = [:]
        for interface in interfaces {
            for endpoint in interface.endpoints where endpoint.address.number != 0 {
                let known = AnnouncedEndpoint(endpoint, interface: interface.interfaceNumber, speed: speed)
                endpoints[endpoint.address.index] = known
                info[endpoint.address.index] = EndpointInfo.Entry(
                    type: known.type.rawValue, interval: UInt8(clamping: known.announcedInterval(at: speed)),
                    interface: known.interface, maxPacketSize: UInt16(clamping: known.maxPacketSize))
            }
        }
        endpointInfo = info
        self.endpoints = endpoints
        interfaceInfo = InterfaceInfo(
            interfaces: interfaces.map {
                InterfaceInfo.Entry(
                    number: $0.interfaceNumber, interfaceClass: $0.interfaceClass,
                    interfaceSubClass: $0.interfaceSubClass, interfaceProtocol: $0.interfaceProtocol)
            })
        let device = enumeration.device
        deviceConnect = DeviceConnect(
            speed: speed.rawValue, deviceClass: device.deviceClass, deviceSubClass: device.deviceSubClass,
            deviceProtocol: device.deviceProtocol, idVendor: device.idVendor, idProduct: device.idProduct,
            deviceRelease: device.deviceRelease)
    }
}

/// What the session needs to know of an announced endpoint.
struct AnnouncedEndpoint: Equatable {
    let address: EndpointAddress
    let type: TransferType
    let interface: UInt8
    /// Bytes per service interval, at least 1.
    let maxPacketSize: Int
    /// Frames or microframes, at least 1 where the type has an interval; 0 for bulk.
    let intervalUnits: Int
    /// The same in microseconds.
    let intervalMicroseconds: Int

    init(_ endpoint: EndpointDescriptor, interface: UInt8, speed: Speed) {
        address = endpoint.address
        type = endpoint.type
        self.interface = interface
        maxPacketSize = max(1, endpoint.bytesPerInterval)
        let periodic = endpoint.type == .interrupt || endpoint.type == .isochronous
        intervalUnits = periodic ? max(1, endpoint.intervalUnits(at: speed)) : 0
        intervalMicroseconds = intervalUnits * (speed < .high ? 1000 : 125)
    }

    /// QEMU takes the interval of an isochronous endpoint for frames at every speed but high, and makes the size of its
    /// buffer of it (hw/usb/redirect.c, usbredir_handle_iso_data): in microframes a SuperSpeed stream would have an
    /// eighth of the 60 ms.
    func announcedInterval(at speed: Speed) -> Int {
        speed == .super && type == .isochronous ? max(1, intervalUnits / 8) : intervalUnits
    }
}

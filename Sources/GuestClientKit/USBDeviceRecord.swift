/// A USB device as the guest's kernel lists it.
public struct USBDeviceRecord: Equatable, Sendable {
    /// The sysfs name: bus and port path, e.g. "1-1.2".
    public var name: String
    public var bus: Int
    public var device: Int
    public var vendor: UInt16
    public var product: UInt16
    /// Mb/s as sysfs spells it: "1.5", "12", "480", "5000".
    public var speed: String
    public var manufacturerName: String
    public var productName: String
    public var serial: String
    public var interfaces: [USBInterfaceRecord]

    /// A device of ours: an interface FF/32/56, or the manufacturer string.
    public var is2Virt: Bool { manufacturerName == "2Virt" || interfaces.contains(where: \.isWebService) }

    /// What a person would call it: the serial (its configured name), else bus and device.
    public var title: String { serial.isEmpty ? "\(bus)-\(device)" : serial }

    /// The character device under /dev/bus/usb.
    public func nodePath(root: String = "/dev/bus/usb") -> String {
        "\(root)/\(padded(bus))/\(padded(device))"
    }

    private func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
}

/// One interface of a listed device, in its current alternate setting.
public struct USBInterfaceRecord: Equatable, Sendable {
    public var number: Int
    /// The iInterface string, which names the service.
    public var name: String
    public var classCode: UInt8
    public var subclassCode: UInt8
    public var protocolCode: UInt8
    public var driver: String?
    public var endpoints: [USBEndpointRecord]

    public var isWebService: Bool { classCode == 0xFF && subclassCode == 0x32 && protocolCode == 0x56 }
    public var bulkIn: USBEndpointRecord? { endpoints.first { $0.isBulk && $0.isIn } }
    public var bulkOut: USBEndpointRecord? { endpoints.first { $0.isBulk && !$0.isIn } }
    public var interruptIn: USBEndpointRecord? { endpoints.first { $0.attributes & 0x03 == 3 && $0.isIn } }
}

/// One endpoint of a listed interface.
public struct USBEndpointRecord: Equatable, Sendable {
    public var address: UInt8
    public var attributes: UInt8
    public var maximumPacketSize: Int

    public var isIn: Bool { address & 0x80 != 0 }
    public var isBulk: Bool { attributes & 0x03 == 2 }
}

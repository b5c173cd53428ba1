import USBIPCodec

/// What an exporter offers, as text or JSON.
public struct RemoteListing {
    private let devices: [ListedDevice]

    public init(_ devices: [ListedDevice]) { self.devices = devices }

    public var isEmpty: Bool { devices.isEmpty }

    public var text: String {
        devices.map { device in
            let record = device.record
            return "\(Self.busID(record))  \(Self.hex(record.idVendor)):\(Self.hex(record.idProduct))  "
                + "\(Self.speed(record))  \(device.interfaces.map(Self.classes).joined(separator: " "))"
        }.joined(separator: "\n")
    }

    public var json: String {
        JSONValue.array(
            devices.map { device in
                .object([
                    ("busid", .string(Self.busID(device.record))),
                    ("vendor", .string(Self.hex(device.record.idVendor))),
                    ("product", .string(Self.hex(device.record.idProduct))),
                    ("speed", .string(Self.speed(device.record))),
                    ("interfaces", .array(device.interfaces.map { .string(Self.classes($0)) })),
                ])
            }
        ).text()
    }

    private static func busID(_ record: DeviceRecord) -> String {
        SystemFile.printable(record.busID.description.utf8)
    }

    private static func speed(_ record: DeviceRecord) -> String {
        switch record.speed {
        case .low: "low"
        case .full: "full"
        case .high: "high"
        case .super: "super"
        case .superPlus: "super-plus"
        default: "speed \(record.speed.rawValue)"
        }
    }

    /// Class, subclass and protocol, such as `02/02/01`.
    private static func classes(_ interface: InterfaceRecord) -> String {
        [interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol]
            .map { hex($0) }.joined(separator: "/")
    }

    private static func hex<T: FixedWidthInteger>(_ value: T) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, T.bitWidth / 4 - digits.count)) + digits
    }
}

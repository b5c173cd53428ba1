/// The text and JSON forms of a list of devices.
public struct DeviceListing {
    private let devices: [USBDeviceRecord]

    public init(_ devices: [USBDeviceRecord]) { self.devices = devices }

    /// Two lines and more a device:
    /// `desk  bus 1 device 2  02a0:a123  480 Mb/s  2Virt desk` and `  0  web  ff/32/56 web-service  free`.
    public var text: String {
        devices.map { device in
            let identity = "\(hex(device.vendor, 4)):\(hex(device.product, 4))"
            let maker = [device.manufacturerName, device.productName].filter { !$0.isEmpty }.joined(separator: " ")
            let place = "bus \(device.bus) device \(device.device)"
            let head = [device.title, place, device.nodePath(), identity, "\(device.speed) Mb/s", maker]
                .filter { !$0.isEmpty }.joined(separator: "  ")
            let rows = device.interfaces.map { interface in
                let name = interface.name.isEmpty ? "-" : interface.name
                let fields = ["\(interface.number)", name, classText(interface), interface.driver ?? "free"]
                return "  " + fields.joined(separator: "  ")
            }
            return ([head] + rows).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    public var json: String { JSONValue.array(devices.map(json)).text() }

    private func json(_ device: USBDeviceRecord) -> JSONValue {
        .object([
            ("name", .string(device.title)),
            ("bus", .number(device.bus)), ("device", .number(device.device)),
            ("path", .string(device.nodePath())), ("sysfs", .string(device.name)),
            ("vendor", .string(hex(device.vendor, 4))), ("productID", .string(hex(device.product, 4))),
            ("speed", .string(device.speed)),
            ("manufacturer", .string(device.manufacturerName)), ("product", .string(device.productName)),
            ("serial", .string(device.serial)),
            (
                "interfaces",
                .array(
                    device.interfaces.map { interface in
                        .object([
                            ("number", .number(interface.number)), ("name", .string(interface.name)),
                            ("class", .string(classCodes(interface))),
                            ("webService", .bool(interface.isWebService)),
                            ("driver", interface.driver.map(JSONValue.string) ?? .null),
                        ])
                    })
            ),
        ])
    }

    private func classText(_ interface: USBInterfaceRecord) -> String {
        classCodes(interface) + (interface.isWebService ? " web-service" : "")
    }

    private func classCodes(_ interface: USBInterfaceRecord) -> String {
        [interface.classCode, interface.subclassCode, interface.protocolCode].map { hex($0, 2) }.joined(separator: "/")
    }

    private func hex(_ value: some BinaryInteger, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

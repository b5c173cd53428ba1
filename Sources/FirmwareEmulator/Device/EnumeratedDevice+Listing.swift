import USBCore

extension EnumeratedDevice {
    /// The descriptors as `lsusb -v` prints them, for those of USB 2.0 chapter 9.
    public var listing: String {
        let device = enumeration.device
        var lines = ["ID \(device.idVendor.hex4):\(device.idProduct.hex4) \(product ?? "")", "Device Descriptor:"]
        func add(_ depth: Int, _ name: String, _ value: String, _ text: String? = nil) {
            let indent = String(repeating: "  ", count: depth)
            let padding = String(repeating: " ", count: max(1, 20 - name.count))
            lines.append(indent + name + padding + value + (text.map { " " + $0 } ?? ""))
        }
        func text(_ index: UInt8) -> String? { strings[index] }
        add(1, "bcdUSB", Self.release(device.usbRelease))
        add(1, "bDeviceClass", "\(device.deviceClass)", Self.className(device.deviceClass))
        add(1, "bDeviceSubClass", "\(device.deviceSubClass)")
        add(1, "bDeviceProtocol", "\(device.deviceProtocol)")
        add(1, "bMaxPacketSize0", "\(device.maxPacketSize0)")
        add(1, "idVendor", "0x\(device.idVendor.hex4)")
        add(1, "idProduct", "0x\(device.idProduct.hex4)")
        add(1, "bcdDevice", Self.release(device.deviceRelease))
        add(1, "iManufacturer", "\(device.manufacturerIndex)", text(device.manufacturerIndex))
        add(1, "iProduct", "\(device.productIndex)", text(device.productIndex))
        add(1, "iSerial", "\(device.serialNumberIndex)", text(device.serialNumberIndex))
        add(1, "bNumConfigurations", "\(device.configurationCount)")
        for configuration in enumeration.configurations {
            lines.append("  Configuration Descriptor:")
            add(2, "bNumInterfaces", "\(configuration.interfaceCount)")
            add(2, "bConfigurationValue", "\(configuration.configurationValue)")
            add(2, "iConfiguration", "\(configuration.stringIndex)", text(configuration.stringIndex))
            add(2, "bmAttributes", "0x\(String(configuration.attributes, radix: 16))")
            add(2, "MaxPower", "\(Int(configuration.maxPower) * 2)mA")
            for association in configuration.associations {
                lines.append("    Interface Association:")
                add(3, "bFirstInterface", "\(association.firstInterface)")
                add(3, "bInterfaceCount", "\(association.interfaceCount)")
                add(3, "bFunctionClass", "\(association.functionClass)", Self.className(association.functionClass))
            }
            for interface in configuration.interfaces {
                lines.append("    Interface Descriptor:")
                add(3, "bInterfaceNumber", "\(interface.interfaceNumber)")
                add(3, "bAlternateSetting", "\(interface.alternateSetting)")
                add(3, "bNumEndpoints", "\(interface.endpoints.count)")
                add(3, "bInterfaceClass", "\(interface.interfaceClass)", Self.className(interface.interfaceClass))
                add(3, "bInterfaceSubClass", "\(interface.interfaceSubClass)")
                add(3, "bInterfaceProtocol", "\(interface.interfaceProtocol)")
                add(3, "iInterface", "\(interface.stringIndex)", text(interface.stringIndex))
                for bytes in interface.classDescriptors { lines.append("      ** " + Self.dump(bytes)) }
                for endpoint in interface.endpoints {
                    lines.append("      Endpoint Descriptor:")
                    let direction = endpoint.address.direction == .in ? "IN" : "OUT"
                    add(4, "bEndpointAddress", "0x\(endpoint.address)", "EP \(endpoint.address.number) \(direction)")
                    add(4, "bmAttributes", "\(endpoint.attributes)", endpoint.type.name)
                    add(4, "wMaxPacketSize", "\(endpoint.maxPacketSize)", "bytes")
                    add(4, "bInterval", "\(endpoint.interval)")
                    for bytes in endpoint.classDescriptors { lines.append("        ** " + Self.dump(bytes)) }
                }
            }
        }
        if let capabilities {
            lines.append("Binary Object Store Descriptor:")
            for bytes in capabilities.capabilities { lines.append("  ** " + Self.dump(bytes)) }
        }
        return lines.joined(separator: "\n")
    }

    /// Binary coded decimal, `2.00`.
    private static func release(_ value: UInt16) -> String {
        let low = String(value & 0xFF, radix: 16)
        return String(value >> 8, radix: 16) + "." + (low.count == 1 ? "0" : "") + low
    }

    private static func dump(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }

    private static func className(_ code: UInt8) -> String? {
        switch code {
        case 0x01: "Audio"
        case 0x02: "Communications"
        case 0x03: "Human Interface Device"
        case 0x07: "Printer"
        case 0x08: "Mass Storage"
        case 0x0A: "CDC Data"
        case 0x0E: "Video"
        case 0xEF: "Miscellaneous Device"
        case 0xFE: "Application Specific Interface"
        case 0xFF: "Vendor Specific Class"
        default: nil
        }
    }
}

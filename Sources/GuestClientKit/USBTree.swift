/// The kernel's list of USB devices, /sys/bus/usb/devices.
public struct USBTree: Sendable {
    public static let systemRoot = "/sys/bus/usb/devices"
    private let root: String

    public init(root: String = USBTree.systemRoot) { self.root = root }

    /// Every device that can be read whole, by bus and device number; one that vanishes meanwhile is left out.
    public func devices() throws(GuestError) -> [USBDeviceRecord] {
        guard let names = SystemFile.entries(root) else {
            throw .noSuchDevice("\(root): cannot be read; this guest has no USB bus, or sysfs is not mounted")
        }
        let interfaces = names.filter { $0.contains(":") }
        return names.filter { !$0.contains(":") }
            .compactMap { device($0, interfaces: interfaces) }
            .sorted { ($0.bus, $0.device) < ($1.bus, $1.device) }
    }

    /// The driver of a bus's host controller, e.g. "xhci_hcd".
    func controllerDriver(bus: Int) -> String? {
        // The root hub's entry is a link into the device tree, where its parent is the controller.
        SystemFile.linkName("\(root)/usb\(bus)/../driver")
    }

    private func device(_ name: String, interfaces: [String]) -> USBDeviceRecord? {
        let folder = "\(root)/\(name)"
        guard let bus = SystemFile.decimal("\(folder)/busnum", as: UInt16.self),
            let device = SystemFile.decimal("\(folder)/devnum", as: UInt16.self),
            let vendor = SystemFile.hexadecimal("\(folder)/idVendor", as: UInt16.self),
            let product = SystemFile.hexadecimal("\(folder)/idProduct", as: UInt16.self)
        else { return nil }
        return USBDeviceRecord(
            name: name, bus: Int(bus), device: Int(device), vendor: vendor, product: product,
            speed: SystemFile.line("\(folder)/speed") ?? "",
            manufacturerName: SystemFile.line("\(folder)/manufacturer") ?? "",
            productName: SystemFile.line("\(folder)/product") ?? "",
            serial: SystemFile.line("\(folder)/serial") ?? "",
            interfaces: interfaces.filter { $0.hasPrefix(name + ":") }
                .compactMap { interface("\(root)/\($0)") }
                .sorted { $0.number < $1.number })
    }

    private func interface(_ folder: String) -> USBInterfaceRecord? {
        guard let number = SystemFile.hexadecimal("\(folder)/bInterfaceNumber", as: UInt8.self),
            let classCode = SystemFile.hexadecimal("\(folder)/bInterfaceClass", as: UInt8.self),
            let subclassCode = SystemFile.hexadecimal("\(folder)/bInterfaceSubClass", as: UInt8.self),
            let protocolCode = SystemFile.hexadecimal("\(folder)/bInterfaceProtocol", as: UInt8.self)
        else { return nil }
        let endpoints = (SystemFile.entries(folder) ?? []).filter { $0.hasPrefix("ep_") }.prefix(32)
        return USBInterfaceRecord(
            number: Int(number), name: SystemFile.line("\(folder)/interface") ?? "", classCode: classCode,
            subclassCode: subclassCode, protocolCode: protocolCode,
            driver: SystemFile.linkName("\(folder)/driver"),
            endpoints: endpoints.compactMap { endpoint("\(folder)/\($0)") })
    }

    private func endpoint(_ folder: String) -> USBEndpointRecord? {
        guard let address = SystemFile.hexadecimal("\(folder)/bEndpointAddress", as: UInt8.self),
            let attributes = SystemFile.hexadecimal("\(folder)/bmAttributes", as: UInt8.self),
            let size = SystemFile.hexadecimal("\(folder)/wMaxPacketSize", as: UInt16.self)
        else { return nil }
        // USB 2.0 table 9-13: bits 10..0 are the size.
        return USBEndpointRecord(address: address, attributes: attributes, maximumPacketSize: Int(size & 0x07FF))
    }
}

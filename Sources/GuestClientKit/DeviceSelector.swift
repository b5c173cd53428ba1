/// How a person names a device: its serial, or bus and device number as in "1-2", "001-002" or "1:2".
public struct DeviceSelector: Equatable, Sendable {
    public var text: String

    public init(_ text: String) { self.text = text }

    /// Splits "DEVICE/INTERFACE"; a serial may hold slashes itself, so only the last one separates.
    public static func withInterface(_ text: String) -> (
        whole: DeviceSelector, device: DeviceSelector, interface: String
    )? {
        guard let slash = text.lastIndex(of: "/") else { return nil }
        let interface = text[text.index(after: slash)...]
        guard !interface.isEmpty, slash != text.startIndex else { return nil }
        return (DeviceSelector(text), DeviceSelector(String(text[..<slash])), String(interface))
    }

    public func matches(_ device: USBDeviceRecord) -> Bool {
        if !device.serial.isEmpty && device.serial == text { return true }
        let parts = text.split(whereSeparator: { $0 == "-" || $0 == ":" }).map(String.init)
        guard parts.count == 2, let bus = Int(parts[0]), let number = Int(parts[1]) else { return false }
        return device.bus == bus && device.device == number
    }
}

extension USBInterfaceRecord {
    /// An interface by name, or by number.
    func isNamed(_ text: String) -> Bool { (!name.isEmpty && name == text) || String(number) == text }
}

extension [USBDeviceRecord] {
    /// The one 2Virt device meant by `selector`, or the only one there is.
    public func selected(by selector: DeviceSelector?) throws(GuestError) -> USBDeviceRecord {
        let ours = filter(\.is2Virt)
        guard let selector else {
            guard let first = ours.first else { throw .noSuchDevice("no 2Virt device is plugged into this guest") }
            guard ours.count == 1 else {
                let titles = ours.map(\.title).joined(separator: ", ")
                throw .failed("several 2Virt devices are plugged in; name one of: \(titles)")
            }
            return first
        }
        guard let match = ours.first(where: selector.matches) else {
            let others = ours.isEmpty ? "there is none" : "there is: " + ours.map(\.title).joined(separator: ", ")
            throw .noSuchDevice("no 2Virt device '\(SystemFile.printable(selector.text.utf8))'; \(others)")
        }
        return match
    }
}

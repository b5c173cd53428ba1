/// The USB part of QEMU's `info qtree` text: which device sits in which port of which bus.
///
/// QMP has no command that tells a port QEMU chose itself, so the text is read. Its shape in QEMU 7.2:
/// ```
///   bus: xhci.0
///     type usb-bus
///     dev: usb-tablet, id "tablet"
///       addr 0.1, port 1, speed 480, name QEMU USB Tablet, attached
/// ```
struct QTree: Equatable {
    /// A device and the port path it reports, such as `1`, or `1.2` behind a hub.
    struct Device: Equatable {
        var driver: String
        var id: String
        var port = ""
        var product = ""
        var isAttached = false
    }

    /// Devices by bus name, for every bus of type `usb-bus`, also an empty one.
    private(set) var buses: [String: [Device]] = [:]

    init(_ text: String) {
        var bus: (name: String, indent: Int, isUSB: Bool)?
        for line in text.split(whereSeparator: \.isNewline) {
            let indent = line.prefix { $0 == " " }.count
            let words = line.dropFirst(indent)
            if words.hasPrefix("bus: ") {
                bus = (String(words.dropFirst(5)), indent, false)
                continue
            }
            guard let current = bus else { continue }
            if indent <= current.indent {
                // A device beside the bus's owner: the bus is over.
                bus = nil
            } else if words.hasPrefix("type ") {
                let isUSB = words.dropFirst(5) == "usb-bus"
                bus?.isUSB = isUSB
                if isUSB, buses[current.name] == nil { buses[current.name] = [] }
            } else if current.isUSB, words.hasPrefix("dev: ") {
                buses[current.name]?.append(Self.device(words.dropFirst(5)))
            } else if current.isUSB, words.hasPrefix("addr "), let last = buses[current.name]?.indices.last {
                Self.fill(&buses[current.name, default: []][last], from: words)
            }
        }
    }

    /// `usb-tablet, id "tablet"`
    private static func device(_ text: Substring) -> Device {
        let driver = text.prefix { $0 != "," }
        let id = text.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first ?? ""
        return Device(driver: String(driver), id: String(id))
    }

    /// `addr 0.1, port 1, speed 480, name QEMU USB Tablet, attached`; the name may contain commas.
    private static func fill(_ device: inout Device, from text: Substring) {
        let parts = text.split(separator: ",").map { $0.drop { $0 == " " } }
        device.port = parts.first { $0.hasPrefix("port ") }.map { String($0.dropFirst(5)) } ?? ""
        device.isAttached = parts.last == "attached"
        if let start = text.firstRange(of: ", name ")?.upperBound {
            let name = text[start...]
            device.product = printable(String(device.isAttached ? name.dropLast(10) : name))
        }
    }
}

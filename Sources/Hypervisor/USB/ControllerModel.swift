/// What is known of a QEMU host controller model by its name.
struct ControllerModel: Equatable {
    let driver: String
    let kind: USBController.Kind

    /// nil for a model that is no USB host controller.
    init?(driver: String) {
        // Names of all architectures: qemu-xhci, sysbus-xhci, usb-ehci, ich9-usb-ehci1, piix3-usb-uhci, pci-ohci…
        guard let kind = USBController.Kind.allCases.first(where: { driver.contains($0.rawValue) }),
            driver != "base-xhci"
        else { return nil }
        self.driver = driver
        self.kind = kind
    }

    /// QOM properties that tell the number of ports and, for a companion, where they are.
    var properties: [String] {
        switch kind {
        case .xhci: ["p2", "p3"]
        case .ehci: []
        case .uhci: ["masterbus", "firstport"]
        case .ohci: ["masterbus", "firstport", "num-ports"]
        }
    }

    /// Root ports from the properties' values, which are bounded here: they come from outside.
    func ports(_ values: [String: JSONValue]) -> [USBPort] {
        switch kind {
        case .xhci:
            // QEMU pairs USB 2 and USB 3 ports: port n is SuperSpeed when n is not above p3 (hcd-xhci.c).
            let usb2 = Self.bounded(values["p2"], default: 4)
            let usb3 = Self.bounded(values["p3"], default: 4)
            return (0..<max(usb2, usb3)).map { index in
                USBPort(
                    number: index + 1,
                    speeds: (index < usb2 ? [.low, .full, .high] : []) + (index < usb3 ? [.super] : []))
            }
        case .ehci: return Self.numbered(6, [.high])
        case .uhci: return Self.numbered(2, [.low, .full])
        case .ohci: return Self.numbered(Self.bounded(values["num-ports"], default: 3), [.low, .full])
        }
    }

    private static func numbered(_ count: Int, _ speeds: [PortSpeed]) -> [USBPort] {
        (0..<count).map { USBPort(number: $0 + 1, speeds: speeds) }
    }

    /// QEMU allows at most 15 ports of a kind.
    private static func bounded(_ value: JSONValue?, default count: Int) -> Int {
        value?.int.map { Int(min(max($0, 0), 15)) } ?? count
    }
}

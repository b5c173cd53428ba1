/// A USB host controller a guest can be given; the raw value is the QEMU bus's name without its number.
public enum USBController: String, Sendable, CaseIterable, Codable {
    /// qemu-xhci: USB 3 and 2, every speed.
    case xhci
    /// usb-ehci alone: high speed only.
    case ehci
    /// ich9-usb-ehci1 with three UHCI companions: low, full and high speed.
    case ich9
    /// piix3-usb-uhci: low and full speed.
    case uhci
    /// pci-ohci: low and full speed.
    case ohci

    /// The bus devices are plugged into (`device_add …,bus=`).
    public var bus: String { rawValue + ".0" }

    /// The `-device` options that make it.
    ///
    /// xHCI gets more ports than its default four: QEMU puts a hub on the last free one.
    var deviceOptions: [String] {
        switch self {
        case .xhci: ["qemu-xhci,id=xhci,p2=8,p3=8"]
        case .ehci: ["usb-ehci,id=ehci"]
        case .uhci: ["piix3-usb-uhci,id=uhci"]
        case .ohci: ["pci-ohci,id=ohci"]
        case .ich9:
            ["ich9-usb-ehci1,id=ich9,addr=1d.7,multifunction=on"]
                + (0..<3).map { number in
                    "ich9-usb-uhci\(number + 1),masterbus=ich9.0,firstport=\(number * 2),addr=1d.\(number)"
                        + ",multifunction=on"
                }
        }
    }
}

/// One USB bus of a VM: a host controller, its companions folded in, and its root ports.
public struct USBController: Sendable, Equatable {
    /// What kind of host controller drives the bus.
    public enum Kind: String, Sendable, Equatable, CaseIterable { case xhci, ehci, uhci, ohci }

    /// QEMU's name of the bus, such as `xhci.0`: what `device_add bus=` takes.
    public let bus: String
    /// QEMU's device model, such as `qemu-xhci`.
    public let driver: String
    public let kind: Kind
    public let qomPath: String
    /// Root ports by number, from 1.
    public var ports: [USBPort]

    public var freePorts: [USBPort] { ports.filter { $0.occupant == nil } }

    /// Every speed that at least one of its ports takes, slowest first.
    public var speeds: [PortSpeed] { Set(ports.flatMap(\.speeds)).sorted() }
}

/// One root port of a bus.
public struct USBPort: Sendable, Equatable {
    public let number: Int
    /// Speeds the port takes, slowest first.
    public let speeds: [PortSpeed]
    public var occupant: USBOccupant?
}

/// What sits in a port.
public struct USBOccupant: Sendable, Equatable {
    /// QEMU's device id; empty when it has none.
    public let id: String
    /// QEMU's device model, such as `usb-tablet` or `usb-redir`.
    public let driver: String
    /// What QEMU calls the device, such as `QEMU USB Tablet`; empty when unknown.
    public let product: String
    /// False for a device model whose device is not plugged in, such as a usbredir device without a peer.
    public let isAttached: Bool
}

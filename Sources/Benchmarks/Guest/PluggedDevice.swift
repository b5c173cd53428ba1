import GuestLab

/// The two devices that take turns.
enum PluggedDevice: String, CaseIterable, Sendable {
    /// A serial port through the engine: command, control socket, wire.
    case ours = "2Virt serial"
    /// `usb-kbd`, by QMP.
    case qemuKeyboard = "QEMU usb-kbd"

    /// What the guest's kernel prints when a driver has taken it.
    var driverLine: String {
        switch self {
        case .ours: "USB ACM device"
        case .qemuKeyboard: "USB HID v1.11 Keyboard"
        }
    }

    private static let keyboardID = "bench-keyboard"

    func plug(_ site: GuestSite) async throws {
        switch self {
        case .ours: try await site.plug()
        case .qemuKeyboard:
            try await site.guest.monitor.execute(
                "device_add", ["driver": "usb-kbd", "id": .string(Self.keyboardID), "bus": "xhci.0", "port": "1"])
        }
    }

    func unplug(_ site: GuestSite) async throws {
        switch self {
        case .ours: try await site.unplug()
        case .qemuKeyboard:
            try await site.guest.monitor.execute("device_del", ["id": .string(Self.keyboardID)])
        }
    }
}

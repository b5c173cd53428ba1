import ControlProtocol
import FirmwareEmulator
import USBCore
import USBDevice

/// An emulated device as its firmware made it, for snapshots.
struct EmulatorReport: Sendable, Equatable {
    /// Text of the serial ports that snapshots carry, in bytes.
    private static let serialLimit = 2048
    private static let logLimit = 20

    var status: EmulatorSnapshot
    /// What the descriptors say; nil before firmware has enumerated.
    var identity: DeviceIdentity?
    /// By the number of the interface, those of the configuration in force.
    var interfaces: [InterfaceSnapshot] = []

    init(_ device: EmulatedDevice) {
        let status = device.status
        self.status = EmulatorSnapshot(
            board: device.board.name,
            processor: EmulatorSnapshot.Processor(rawValue: status.processor.rawValue) ?? .off,
            // No finer than anybody reads: a snapshot is sent when something has changed.
            megahertz: (status.millionCyclesPerSecond * 10).rounded() / 10,
            realTimeFactor: (status.realTimeFactor * 100).rounded() / 100, isAttached: device.isAttached,
            lights: status.lights.map { .init(name: $0.name, isOn: $0.isOn) },
            buttons: status.buttons.map { .init(name: $0.name, isOn: $0.isPressed) },
            serialText: String(decoding: status.serialLog.suffix(Self.serialLimit), as: UTF8.self),
            log: status.log.suffix(Self.logLimit).map { printable($0, limit: 200) },
            fault: status.fault?.description)
        guard let enumerated = device.enumerated else { return }
        let descriptor = enumerated.enumeration.device
        identity = DeviceIdentity(
            product: printable(enumerated.product ?? ""), serialNumber: printable(enumerated.serialNumber ?? ""))
        identity?.idVendor = descriptor.idVendor
        identity?.idProduct = descriptor.idProduct
        interfaces = device.enumeration(at: .full).presentInterfaces.map { interface in
            let text = enumerated.strings[interface.stringIndex].map { printable($0) }
            let (kind, title) = Self.kind(of: interface)
            return InterfaceSnapshot(
                name: Self.name(interface.interfaceNumber), kind: kind, title: text ?? title,
                number: Int(interface.interfaceNumber), backend: "firmware",
                effect: "belongs to the firmware, which alone decides about it",
                endpoints: interface.endpoints.map {
                    EndpointSnapshot(
                        address: $0.address.rawValue, type: $0.type.name, maxPacketSize: Int($0.maxPacketSize))
                })
        }
    }

    /// Image files name no interfaces.
    static func name(_ number: UInt8) -> String { "if\(number)" }

    /// Catalogue kind, where there is one for the class, and what people call it (USB class codes).
    private static func kind(of interface: InterfaceDescriptor) -> (String, String) {
        switch (interface.interfaceClass, interface.interfaceSubClass) {
        case (0x01, 1): ("audio", "Audio control")
        case (0x01, 2): ("audio", "Audio stream")
        case (0x01, 3): ("midi", "MIDI")
        case (0x01, _): ("audio", "Audio")
        case (0x02, 2): ("serial", "Serial control")
        case (0x02, _): ("network", "Communications")
        case (0x03, _): ("hid", "HID")
        case (0x07, _): ("printer", "Printer")
        case (0x08, _): ("storage", "Mass Storage")
        case (0x0A, _): ("serial", "Serial data")
        case (0x0E, _): ("camera", "Video")
        case (0xFE, 1): ("dfu", "Firmware upgrade")
        default: ("vendor", "Vendor")
        }
    }
}

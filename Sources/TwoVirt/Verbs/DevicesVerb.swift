import ArgumentParser
import ControlProtocol

/// `2virt devices`
struct DevicesVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List the virtual devices: what is plugged where, since when, by whom.")

    @OptionGroup var engine: EngineOptions
    @Flag(help: "One JSON array instead of a table.") var json = false

    func run() async throws {
        let snapshot = try await engine.snapshot()
        guard !json else { return try StandardOutput.writeJSON(snapshot.devices) }
        var table = TextTable([
            "DEVICE", "STATE", "VM", "PORT", "SPEED", "VIA", "GUEST", "SINCE", "BY", "INTERFACES", "ID", "REASON",
        ])
        for device in snapshot.devices {
            let place = device.attachment
            let on = device.interfaces.count { $0.gate == .on }
            table.add([
                device.name, device.state.rawValue, place?.vm ?? "", Self.port(of: place), place?.speed ?? "",
                place?.via.rawValue ?? "", device.guest.rawValue, Moment.absolute(device.since), device.by,
                "\(on) of \(device.interfaces.count) on", Self.id(of: device), device.trouble ?? device.reason ?? "",
            ])
        }
        table.lines.forEach(StandardOutput.write)
        if snapshot.devices.isEmpty {
            StandardError.write("no devices; declare some with [[device]] in the configuration")
        }
    }

    private static func port(of place: Attachment?) -> String {
        guard let controller = place?.controller, let port = place?.port else { return "" }
        return "\(controller)/\(port)"
    }

    private static func id(of device: DeviceSnapshot) -> String {
        func hex(_ value: UInt16) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
        return hex(device.idVendor) + ":" + hex(device.idProduct)
    }
}

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
            "DEVICE", "STATE", "VM", "PORT", "SPEED", "VIA", "BUS ID", "HELD BY", "GUEST", "SINCE", "BY", "INTERFACES",
            "ID", "REASON",
        ])
        for device in snapshot.devices {
            let place = device.attachment
            let on = device.interfaces.count { $0.gate == .on }
            table.add([
                device.name, Self.state(of: device), place?.vm ?? "", Self.port(of: place), place?.speed ?? "",
                place?.via.rawValue ?? (device.state == .imported ? Wire.usbip.rawValue : ""),
                device.export?.busID ?? "",
                Self.holder(of: device), device.guest.rawValue, Moment.absolute(device.since), device.by,
                "\(on) of \(device.interfaces.count) on", Self.id(of: device), device.trouble ?? device.reason ?? "",
            ])
        }
        table.lines.forEach(StandardOutput.write)
        Self.boards(of: snapshot.devices).forEach(StandardOutput.write)
        if let exporter = snapshot.engine.exporter { Self.lines(of: exporter).forEach(StandardOutput.write) }
        if snapshot.devices.isEmpty {
            StandardError.write("no devices; declare some with [[device]] in the configuration")
        }
    }

    /// How the chips of emulated devices are doing.
    static func boards(of devices: [DeviceSnapshot]) -> [String] {
        var table = TextTable(["EMULATED", "BOARD", "CPU", "MHZ", "REAL TIME", "ON BUS", "LEDS", "BUTTONS", "FAULT"])
        var count = 0
        for device in devices {
            guard let emulator = device.emulator else { continue }
            count += 1
            table.add([
                device.name, emulator.board, emulator.processor.rawValue, "\(emulator.megahertz)",
                "\(emulator.realTimeFactor)x", emulator.isAttached ? "yes" : "no",
                emulator.lights.map { "\($0.name) \($0.isOn ? "on" : "off")" }.joined(separator: ", "),
                emulator.buttons.map { $0.isOn ? "\($0.name) pressed" : $0.name }.joined(separator: ", "),
                emulator.fault?.split(separator: "\n").first.map(String.init) ?? "",
            ])
        }
        return count == 0 ? [] : [""] + table.lines
    }

    /// One that waits for a USB/IP client is exported; the snapshot says so by its listeners.
    static func state(of device: DeviceSnapshot) -> String {
        let isExported = device.export?.listeners.contains { $0.trouble == nil } ?? false
        return device.state == .unplugged && device.trouble == nil && isExported ? "exported" : device.state.rawValue
    }

    /// `10.0.0.5:41234 since 2026-11-22 19:45:03, 0.31 ms`
    static func holder(of device: DeviceSnapshot) -> String {
        guard let importer = device.export?.importer else { return "" }
        let time = importer.roundTrip.map { ", \(Moment.milliseconds($0))" } ?? ""
        return "\(importer.peer) since \(Moment.absolute(importer.since))\(time)"
    }

    /// Where devices can be imported and by whom, and which guests can be told to.
    static func lines(of exporter: ExporterSnapshot) -> [String] {
        var listeners = TextTable(["LISTENER", "ALLOWED", "TLS", "TROUBLE"])
        for listener in exporter.listeners {
            let allow = listener.address.hasPrefix("unix:") ? "file mode 0600" : listener.allow.joined(separator: ", ")
            listeners.add([
                listener.address, allow, listener.tls ? "client certificates" : "no", listener.trouble ?? "",
            ])
        }
        var lines = [""] + listeners.lines
        lines.append(
            "\(exporter.connections) of at most \(exporter.maximumConnections) connections, "
                + "\(exporter.imports) of at most \(exporter.maximumImports) imports, \(exporter.refusals) refused so far"
        )
        guard !exporter.watchers.isEmpty else { return lines }
        var watchers = TextTable(["WATCHING", "FROM", "SINCE"])
        for watcher in exporter.watchers {
            watchers.add([watcher.guest, watcher.peer, Moment.absolute(watcher.since)])
        }
        return lines + [""] + watchers.lines
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

import ArgumentParser
import ControlProtocol

/// `2virt interfaces`
struct InterfacesVerb: AsyncParsableCommand {
    /// One row of `--json`: an interface with the name of its device.
    private struct Row: Encodable {
        var device: String
        var interface: InterfaceSnapshot
    }

    static let configuration = CommandConfiguration(
        commandName: "interfaces",
        abstract: "List the interfaces of one device or of all: on, off, since when, by whom.")

    @Argument(help: "A device; all without it.") var device: String?
    @OptionGroup var engine: EngineOptions
    @Flag(help: "One JSON array instead of a table.") var json = false

    func run() async throws {
        let snapshot = try await engine.snapshot()
        if let device, snapshot.device(device) == nil {
            throw CommandFailure("no device '\(device)'; see 2virt devices")
        }
        let rows = snapshot.devices.filter { device == nil || $0.name == device }.flatMap { device in
            device.interfaces.map { Row(device: device.name, interface: $0) }
        }
        guard !json else { return try StandardOutput.writeJSON(rows) }
        var table = TextTable(
            ["DEVICE", "INTERFACE", "KIND", "NO.", "STATE", "SINCE", "BY", "IN", "OUT", "BACKEND", "TROUBLE"],
            rightAligned: ["NO.", "IN", "OUT"])
        for row in rows {
            let interface = row.interface
            table.add([
                row.device, interface.name, interface.kind, interface.number.map(String.init) ?? "",
                interface.gate.rawValue, Moment.absolute(interface.since), interface.by,
                Moment.bytes(interface.counters.bytesIn), Moment.bytes(interface.counters.bytesOut), interface.backend,
                interface.trouble ?? "",
            ])
        }
        table.lines.forEach(StandardOutput.write)
    }
}

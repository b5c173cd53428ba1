import ArgumentParser
import ControlProtocol

/// `2virt vms`
struct VMsVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vms", abstract: "List the live virtual machines and what is plugged into them.")

    @OptionGroup var engine: EngineOptions
    @Flag(help: "One JSON array instead of a table.") var json = false

    func run() async throws {
        let snapshot = try await engine.snapshot()
        guard !json else { return try StandardOutput.writeJSON(snapshot.vms) }
        var table = TextTable(["VM", "STATE", "SINCE", "DEVICES", "FREE PORTS", "CPU", "PID", "SOURCE", "REASON"])
        for vm in snapshot.vms {
            table.add([
                vm.name, vm.state.rawValue, Moment.absolute(vm.since), Self.devices(in: vm, snapshot),
                Self.ports(of: vm), Self.percent(vm.cpuPercent), vm.pid.map(String.init) ?? "", vm.source,
                vm.reason ?? "",
            ])
        }
        table.lines.forEach(StandardOutput.write)
        if snapshot.vms.isEmpty {
            StandardError.write("no live VMs; name where to look with [[vms]] in the configuration")
        }
    }

    /// Ours by name, then how many others there are.
    private static func devices(in vm: VMSnapshot, _ snapshot: Snapshot) -> String {
        let ours = snapshot.devices.filter { $0.attachment?.vm == vm.name || $0.attachment?.vm == vm.id }.map {
            $0.state == .plugged ? $0.name : "\($0.name) (\($0.state.rawValue))"
        }
        let others = vm.attached.count { $0.device == nil }
        return (ours + (others > 0 ? ["+\(others) other"] : [])).joined(separator: ", ")
    }

    private static func ports(of vm: VMSnapshot) -> String {
        vm.controllers.map { "\($0.freePorts) of \($0.ports) on \($0.id)" }.joined(separator: ", ")
    }

    private static func percent(_ value: Double?) -> String {
        guard let value, value >= 0, value < 1e6 else { return "" }
        return "\(Int(value.rounded())) %"
    }
}

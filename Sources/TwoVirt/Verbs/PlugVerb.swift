import ArgumentParser
import ControlProtocol

extension Wire: ExpressibleByArgument {}

/// `2virt plug`
struct PlugVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plug", abstract: "Plug a device into a live VM; returns when the guest has settled.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "A VM, as 2virt vms names it.") var vm: String
    @Option(help: "What carries it: a USB redirection of the hypervisor, or USB/IP for the guest to attach.")
    var via = Wire.usbredir
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        StandardOutput.write(TextTable.printable(try await engine.perform(.plug(device: device, vm: vm, via: via))))
    }
}

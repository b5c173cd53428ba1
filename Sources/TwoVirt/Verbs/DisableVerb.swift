import ArgumentParser
import ControlProtocol

/// `2virt disable`
struct DisableVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Switch an interface of a device off; the device enumerates again in its guest without it.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "An interface, as 2virt interfaces names it.") var interface: String
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        let command = Command.setInterface(device: device, interface: interface, gate: .off)
        StandardOutput.write(TextTable.printable(try await engine.perform(command)))
    }
}

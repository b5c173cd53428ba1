import ArgumentParser
import ControlProtocol

/// `2virt enable`
struct EnableVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Switch an interface of a device on; the device enumerates again in its guest."
    )

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "An interface, as 2virt interfaces names it.") var interface: String
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        let command = Command.setInterface(device: device, interface: interface, gate: .on)
        StandardOutput.write(TextTable.printable(try await engine.perform(command)))
    }
}

import ArgumentParser
import ControlProtocol

/// `2virt revoke`
struct RevokeVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take a service back from a device's guest; for the guest it is gone at once.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "A service, as 2virt services names it.") var service: String
    @Option(help: "An interface that takes services. (default: the device's only one)") var interface: String?
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        let command = Command.revoke(device: device, interface: interface, service: service)
        StandardOutput.write(TextTable.printable(try await engine.perform(command)))
    }
}

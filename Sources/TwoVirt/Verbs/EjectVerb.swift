import ArgumentParser
import ControlProtocol

/// `2virt eject`
struct EjectVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eject", abstract: "Ask the guest to let a device go, then pull it out.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        StandardOutput.write(TextTable.printable(try await engine.perform(.eject(device: device))))
    }
}

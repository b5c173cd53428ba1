import ArgumentParser
import ControlProtocol

/// `2virt unplug`
struct UnplugVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unplug", abstract: "Pull a device out of its VM at once, as a hand would; see also eject.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        StandardOutput.write(TextTable.printable(try await engine.perform(.unplug(device: device))))
    }
}

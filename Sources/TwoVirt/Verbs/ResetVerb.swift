import ArgumentParser
import ControlProtocol

/// `2virt reset`
struct ResetVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Reset the chip of an emulated device, also after its firmware has crashed.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        StandardOutput.write(TextTable.printable(try await engine.perform(.resetChip(device: device))))
    }
}

import ArgumentParser
import ControlProtocol

/// `2virt mute`
struct MuteVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mute",
        abstract: "Let an interface fall silent in place: its guest keeps it and no other is touched.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "An interface, as 2virt interfaces names it.") var interface: String
    @OptionGroup var engine: EngineOptions

    func run() async throws {
        let command = Command.setInterface(device: device, interface: interface, gate: .muted)
        StandardOutput.write(TextTable.printable(try await engine.perform(command)))
    }
}

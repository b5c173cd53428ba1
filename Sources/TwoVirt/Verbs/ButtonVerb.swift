import ArgumentParser
import ControlProtocol

/// `2virt button`
struct ButtonVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "button", abstract: "Press a button on the board of an emulated device.")

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "One of its buttons; needed when it has several.") var button: String?
    @Flag(help: "Hold it down.") var hold = false
    @Flag(help: "Let go of it.") var release = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard !(hold && release) else { throw ValidationError("--hold and --release exclude each other") }
    }

    func run() async throws {
        let action: ButtonAction = hold ? .hold : release ? .release : .tap
        let command = Command.pressButton(device: device, button: button, action: action)
        StandardOutput.write(TextTable.printable(try await engine.perform(command)))
    }
}

import ArgumentParser
import ControlProtocol
import Foundation

/// `2virt type`
struct TypeVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "type", abstract: "Type into a guest with the keyboard of a device.",
        discussion: """
            Returns when the guest has taken every key. Nothing is typed of a text of which not every character is on \
            the layout. Keys are named ctrl, shift, alt, altgr, gui, a to z, 0 to 9, f1 to f12, enter, esc, tab, \
            up, volume-up and so on, and are pressed together when + joins them.
            """)

    /// More than fits into one line of the control protocol is more than anybody types.
    private static let limit = 1 << 18

    @Argument(help: "A device, as 2virt devices names it.") var device: String
    @Argument(help: "What to type; '-' takes it from standard input.") var text: String?
    @Option(help: "A keyboard interface. (default: the device's only one)") var interface: String?
    @Option(help: "Layout that the guest is set to: us, de or fr. (default: the configured one)") var layout: String?
    @Option(help: ArgumentHelp("Keys to press together after the text, such as ctrl+alt+delete.", valueName: "keys"))
    var press: [String] = []
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard text != nil || !press.isEmpty else { throw ValidationError("there is neither TEXT nor --press KEYS") }
    }

    func run() async throws {
        if let text {
            let typed = text == "-" ? try Self.standardInput() : text
            let command = Command.type(device: device, interface: interface, text: typed, layout: layout)
            StandardOutput.write(TextTable.printable(try await engine.perform(command)))
        }
        for keys in press {
            let command = Command.press(device: device, interface: interface, keys: keys)
            StandardOutput.write(TextTable.printable(try await engine.perform(command)))
        }
    }

    private static func standardInput() throws -> String {
        var data = Data()
        while data.count <= limit, let more = try FileHandle.standardInput.read(upToCount: limit), !more.isEmpty {
            data += more
        }
        guard data.count <= limit else { throw CommandFailure("more than \(limit) bytes to type") }
        guard let text = String(data: data, encoding: .utf8) else { throw CommandFailure("what to type is not UTF-8") }
        return text
    }
}

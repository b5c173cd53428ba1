import ArgumentParser
import GuestClientKit

/// `2virt-guest call SERVICE OPERATION [NAME=VALUE …]`
struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Call an operation of a service; its answer is printed as JSON.",
        discussion: """
            NAME=VALUE is text, a number or true and false, as the service wants it; NAME.PART=VALUE is a part of an \
            object; a name given again makes a list; NAME:=JSON takes any JSON.
            """)

    @Option(help: ArgumentHelp("Only of this device.", valueName: "serial"))
    var device: String?

    @Argument(help: "The service.")
    var service: String

    @Argument(help: "The operation, as describe names it.")
    var operation: String

    @Argument(help: ArgumentHelp("Its arguments.", valueName: "name=value"))
    var arguments: [String] = []

    func validate() throws {
        do { _ = try CallArguments(arguments) } catch { throw ValidationError("\(error)") }
    }

    func run() throws {
        let parsed: CallArguments
        do { parsed = try CallArguments(arguments) } catch { throw ValidationError("\(error)") }
        try reportingStatus { () throws(GuestError) in
            let answer = try Services(device: device).call(service, operation, parsed)
            StandardOutput.write(String(decoding: answer, as: UTF8.self))
        }
    }
}

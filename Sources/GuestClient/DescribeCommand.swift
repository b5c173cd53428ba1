import ArgumentParser
import GuestClientKit

/// `2virt-guest describe SERVICE [--json | --document]`
struct DescribeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show the operations of a service, their arguments and answers.")

    @Option(help: ArgumentHelp("Only of this device.", valueName: "serial"))
    var device: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the service's own WSDL or OpenAPI document.")
    var document = false

    @Argument(help: "The service.")
    var service: String

    func validate() throws {
        if json && document { throw ValidationError("--json and --document exclude each other") }
    }

    func run() throws {
        try reportingStatus { () throws(GuestError) in
            let services = Services(device: device)
            if document { return StandardOutput.write(String(decoding: try services.document(service), as: UTF8.self)) }
            let description = try services.describe(service)
            StandardOutput.write(json ? description.json : description.text)
        }
    }
}

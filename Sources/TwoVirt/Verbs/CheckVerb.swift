import ArgumentParser
import Engine
import Foundation

/// `2virt check`
struct CheckVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validate a configuration file; every mistake is named with its line.")

    @Argument(help: "The configuration file.", completion: .file(extensions: ["toml"])) var file: String
    @OptionGroup var engine: EngineOptions

    func run() throws {
        let configuration = try ConfigurationReader.read(file: file)
        for warning in configuration.warnings { StandardError.write("warning: \(warning)") }
        StandardOutput.write(
            "\(file): valid; \(configuration.devices.count) devices, \(configuration.vms.count) VM sources")
    }
}

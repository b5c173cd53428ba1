import ArgumentParser
import ControlProtocol

/// `2virt services`
struct ServicesVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services", abstract: "List the services of this host that devices can be given, and who has them."
    )

    @OptionGroup var engine: EngineOptions
    @Flag(help: "One JSON array instead of a table.") var json = false

    func run() async throws {
        let services = try await engine.snapshot().services ?? []
        guard !json else { return try StandardOutput.writeJSON(services) }
        var table = TextTable(["SERVICE", "URL", "GIVEN TO", "DESCRIPTION"])
        for service in services {
            table.add([
                service.name, service.url, service.givenTo.joined(separator: ", "), service.description ?? "",
            ])
        }
        table.lines.forEach(StandardOutput.write)
        if services.isEmpty {
            StandardError.write("no services; declare some with [[service]] in the configuration")
        }
    }
}

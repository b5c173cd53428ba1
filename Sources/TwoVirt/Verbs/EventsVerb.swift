import ArgumentParser
import ControlClient
import ControlProtocol

/// `2virt events`
struct EventsVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened: plugs, toggles, losses and faults, with who did it.")

    @OptionGroup var engine: EngineOptions
    @Flag(name: [.short, .long], help: "Then show events as they happen, until interrupted.") var follow = false
    @Option(help: ArgumentHelp("Show at most this many past events.", valueName: "count")) var limit = 100
    @Flag(help: "One JSON array; with --follow one JSON object a line.") var json = false

    func validate() throws {
        guard (0...100_000).contains(limit) else { throw ValidationError("--limit takes a number from 0 to 100000") }
    }

    func run() async throws {
        let client = try await engine.connect()
        defer { client.close() }
        // Subscribed before the past is asked for: what happens in between comes twice rather than never.
        if follow, case .failed(let reason) = try await client.send(.subscribe(Subscription(events: true))) {
            throw CommandFailure(reason)
        }
        let past = try await pastEvents(client)
        try show(past)
        guard follow else { return }
        var last = past.last?.sequence ?? 0
        for try await push in client.pushes {
            guard case .event(let event) = push, event.sequence > last else { continue }
            last = event.sequence
            try show([event])
        }
    }

    private func pastEvents(_ client: ControlClient) async throws -> [Event] {
        switch try await client.send(.events(after: 0, limit: 100_000)) {
        case .events(let events): return Array(events.suffix(limit))
        case .failed(let reason): throw CommandFailure(reason)
        case .done, .snapshot: throw CommandFailure("the engine answered with something else than was asked")
        }
    }

    private func show(_ events: [Event]) throws {
        guard json else { return events.map(Self.line).forEach(StandardOutput.write) }
        guard follow else { return try StandardOutput.writeJSON(events) }
        for event in events { try StandardOutput.writeJSON(event, isPretty: false) }
    }

    private static func line(_ event: Event) -> String {
        let mark =
            switch event.severity {
            case .info: " "
            case .warning: "!"
            case .fault: "!!"
            }
        let duration = event.duration.map { $0 >= 0 && $0 < 1e6 ? " (\(Double(Int($0 * 1000)) / 1000) s)" : "" } ?? ""
        let padded = mark + String(repeating: " ", count: 2 - mark.count)
        return TextTable.printable(
            "\(Moment.absolute(event.time)) \(padded) \(event.subject)  \(event.message)\(duration)  by \(event.actor)")
    }
}

import ArgumentParser
import Benchmarks
import Foundation

/// `2virt bench`
struct BenchVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure 2Virt beside a peer, alternately in one run.",
        discussion: """
            Every result is a ratio: ours divided by the peer's. Only ratios of one run can be compared with those of \
            another machine or day. Measure a release build.
            """,
        subcommands: [
            EmulatorBench.self, PlugBench.self, StorageBench.self, USBIPBench.self, USBRedirectionBench.self,
        ])
}

/// What all benchmarks take.
struct BenchOptions: ParsableArguments {
    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("Repetitions. (default: the benchmark's own)", valueName: "count"))
    var repetitions: Int?

    @Flag(help: "One JSON object instead of a table.") var json = false

    func validate() throws {
        if let repetitions, !(1...1000).contains(repetitions) {
            throw ValidationError("--repeat \(repetitions): 1 to 1000 is allowed")
        }
    }

    /// Runs one, shows its progress on standard error and its report on standard output; a signal ends it in order.
    func run(
        _ name: String, _ body: @escaping @Sendable (ProgressLine) async throws -> [BenchmarkResult]
    ) async throws {
        let line = ProgressLine()
        let signals = TerminationSignals()
        let results = try await withThrowingTaskGroup(of: [BenchmarkResult]?.self) { group in
            group.addTask { try await body(line) }
            group.addTask {
                await signals.wait()
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            guard let first else {
                // Until what was started is gone.
                while (try? await group.next()) != nil {}
                throw CommandFailure("\(name): stopped by a signal")
            }
            return first
        }
        line.finish("\(name): done")
        try write(BenchmarkReport(benchmark: name, results: results))
    }

    private func write(_ report: BenchmarkReport) throws {
        guard !json else { return try StandardOutput.writeJSON(report) }
        var table = TextTable(
            ["NAME", "OURS", "PEER", "UNIT", "RATIO", "BETTER", "PEER NAME"], rightAligned: ["OURS", "PEER", "RATIO"])
        for result in report.results {
            table.add([
                result.name, Self.number(result.ours), Self.number(result.peer), result.unit,
                Self.fixed(result.ratio, 2), result.higherIsBetter ? "higher" : "lower", result.peerName,
            ])
        }
        table.lines.forEach(StandardOutput.write)
    }

    /// With as many decimals as say something.
    private static func number(_ value: Double) -> String { fixed(value, value >= 1000 ? 0 : value >= 100 ? 1 : 2) }

    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        value.formatted(.number.precision(.fractionLength(decimals)).grouping(.never))
    }
}

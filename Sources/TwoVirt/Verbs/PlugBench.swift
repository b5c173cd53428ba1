import ArgumentParser
import Benchmarks

/// `2virt bench plug`
struct PlugBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plug",
        abstract: "Time until a guest sees a device come and go, beside QEMU's own keyboard.",
        discussion: """
            Both are plugged into the same port of the same guest, in turn: ours by a command to the engine, QEMU's by \
            QMP. Reported are medians, in milliseconds, to the line of the guest's kernel log.
            """)

    @OptionGroup var options: BenchOptions

    func run() async throws {
        let benchmark = PlugBenchmark(repetitions: options.repetitions ?? 10)
        try await options.run("plug") { line in try await benchmark.run { line.show($0) } }
    }
}

import ArgumentParser
import Benchmarks

/// `2virt bench emulator`
struct EmulatorBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emulator",
        abstract: "Instructions a second of the firmware emulator's CPU, beside Unicorn.",
        discussion: """
            The same compiled firmware runs in both, in turn: ours with interrupts, registers and virtual time live. \
            Then 64 idle devices: what one costs, and how long a control request takes, beside the goals. \
            Needs gcc-arm-none-eabi and Unicorn: Debian's libunicorn2 or, faster, the library of pip's unicorn.
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: ArgumentHelp("Unicorn's shared library. (default: the system's)", valueName: "path"))
    var unicorn: String?

    func run() async throws {
        let benchmark = EmulatorBenchmark(repetitions: options.repetitions ?? 5, library: unicorn)
        try await options.run("emulator") { line in try await benchmark.run { line.show($0) } }
    }
}

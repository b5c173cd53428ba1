import ArgumentParser
import Benchmarks

/// `2virt bench usbip`
struct USBIPBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usbip",
        abstract: "Throughput, latency and fairness of the USB/IP exporter, beside servers in C.",
        discussion: """
            Exporter, session, port, simulated device and traffic recorder on the loopback interface, beside a server in \
            C that only answers, with one read and one write a URB ("C floor") and batched ("batched C floor"). Then 64 \
            importers at once, the slowest beside the mean one, and what an importer that never reads costs.
            """)

    @OptionGroup var options: BenchOptions
    @Option(help: ArgumentHelp("Length of one measurement.", valueName: "seconds")) var seconds = 0.1

    func validate() throws {
        guard (0.01...60).contains(seconds) else {
            throw ValidationError("--seconds \(seconds): 0.01 to 60 is allowed")
        }
    }

    func run() async throws {
        let (repetitions, seconds) = (options.repetitions ?? 15, seconds)
        try await options.run("usbip") { line in
            try await USBIPBenchmark(repetitions: repetitions, seconds: seconds).run { line.show($0, fraction: $1) }
        }
    }
}

import ArgumentParser
import Benchmarks

/// `2virt bench usbredir`
struct USBRedirectionBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usbredir",
        abstract: "Throughput and latency of the usbredir wire, beside hosts in C and a network card.",
        discussion: """
            Part "wire": session, port, simulated device and traffic recorder on a UNIX socket, beside a host in C that \
            only answers, with one read and one write a packet ("C floor") and batched ("batched C floor"). Part \
            "guest": a Web Service used in a real guest, beside the same server through virtio-net.
            """)

    /// What can be measured by itself.
    enum Part: String, ExpressibleByArgument, CaseIterable {
        case wire
        case guest
    }

    @OptionGroup var options: BenchOptions
    @Option(help: ArgumentHelp("Length of one measurement on the wire.", valueName: "seconds")) var seconds = 0.1
    @Option(help: "Only this part. (default: both)") var only: Part?

    func validate() throws {
        guard (0.01...60).contains(seconds) else {
            throw ValidationError("--seconds \(seconds): 0.01 to 60 is allowed")
        }
    }

    func run() async throws {
        let (only, seconds) = (only, seconds)
        // Rounds on the wire are short.
        let (wireRounds, guestRounds) = (options.repetitions ?? 15, options.repetitions ?? 5)
        // What is missing is said before anything is measured.
        let guestClient = only == .wire ? nil : try GuestProgram.path()
        if only != .wire { try WebBenchmark.checkPrerequisites() }
        try await options.run("usbredir") { line in
            var results: [BenchmarkResult] = []
            if only != .guest {
                results += try await WireBenchmark(repetitions: wireRounds, seconds: seconds).run {
                    line.show($0, fraction: $1)
                }
            }
            if let guestClient {
                let server = try await DemoWebService.start()
                do {
                    results += try await WebBenchmark(
                        repetitions: guestRounds, guestClient: guestClient, serverPort: server.port
                    ).run { line.show($0) }
                    await server.stop()
                } catch {
                    await server.stop()
                    throw error
                }
            }
            return results
        }
    }
}

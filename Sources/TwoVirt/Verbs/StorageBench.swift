import ArgumentParser
import Benchmarks

/// `2virt bench storage`
struct StorageBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage",
        abstract: "Throughput of a disk in a guest, beside QEMU's own usb-storage on the same image.",
        discussion: """
            Both disks are in the same guest, on the same controller, at the same speed; the guest reads and writes them in \
            turn, past its own cache, one request at a time. Reported are medians.
            """)

    @OptionGroup var options: BenchOptions

    func run() async throws {
        let benchmark = StorageBenchmark(repetitions: options.repetitions ?? 5)
        try await options.run("storage") { line in try await benchmark.run { line.show($0) } }
    }
}

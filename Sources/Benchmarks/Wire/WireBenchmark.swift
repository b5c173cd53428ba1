import Foundation
import GuestLab
import NIOPosix

/// Our usbredir host, from socket to simulated device and back, beside the least that a host can be.
///
/// The same guest, written in C, measures all; hosts alternate, so that what else the machine does hits them alike.
public struct WireBenchmark: Sendable {
    public let repetitions: Int
    /// Of one measurement.
    public let seconds: Double

    public init(repetitions: Int, seconds: Double) {
        self.repetitions = max(1, repetitions)
        self.seconds = max(0.01, seconds)
    }

    /// - Parameter progress: what is being done and how much of all is done, 0…1.
    public func run(progress: @Sendable (String, Double) -> Void) async throws -> [BenchmarkResult] {
        let directory = try ScratchDirectory("2virt-bench")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let results = try await measure(directory.path, group, progress)
            try await group.shutdownGracefully()
            try directory.remove()
            return results
        } catch {
            // What ended the run is worth more than what its cleaning up would say.
            try? await group.shutdownGracefully()
            try? directory.remove()
            throw error
        }
    }

    private func measure(
        _ directory: String, _ group: MultiThreadedEventLoopGroup, _ progress: (String, Double) -> Void
    ) async throws -> [BenchmarkResult] {
        var samples: [String: [WireHost: [WireSample]]] = [:]
        let total = Double(repetitions * WireCase.all.count)
        for repetition in 0..<repetitions {
            for (index, test) in WireCase.all.enumerated() {
                progress("wire: \(test.name)", Double(repetition * WireCase.all.count + index) / total)
                for host in WireHost.allCases {
                    try Task.checkCancellation()
                    let sample = try await host.measure(
                        test, seconds: seconds, directory: directory, loop: group.next())
                    samples[test.name, default: [:]][host, default: []].append(sample)
                }
            }
        }
        return try WireCase.all.flatMap { try $0.results(samples[$0.name] ?? [:]) }
    }
}

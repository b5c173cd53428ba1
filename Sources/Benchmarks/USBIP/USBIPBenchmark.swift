import Foundation
import NIOPosix

/// Our USB/IP exporter, from socket to simulated device and back with its traffic counted, beside the least that a
/// server can be; and what many importers do to each other.
///
/// The same importer, written in C, measures all; servers alternate in many short rounds, whose medians are compared, so
/// that what else the machine does hits them alike.
public struct USBIPBenchmark: Sendable {
    public let repetitions: Int
    /// Of one measurement.
    public let seconds: Double

    private static let importers = 64
    private static let cases = WireCase.all.filter { $0.name != "in-512-q1" }

    public init(repetitions: Int, seconds: Double) {
        self.repetitions = max(1, repetitions)
        self.seconds = max(0.01, seconds)
    }

    /// - Parameter progress: what is being done and how much of all is done, 0…1.
    public func run(progress: @Sendable (String, Double) -> Void) async throws -> [BenchmarkResult] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let results = try await measure(group, progress) + shared(group, progress)
            try await group.shutdownGracefully()
            return results
        } catch {
            // What ended the run is worth more than what its cleaning up would say.
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func measure(
        _ group: MultiThreadedEventLoopGroup, _ progress: (String, Double) -> Void
    ) async throws -> [BenchmarkResult] {
        var samples: [String: [WireHost: [WireSample]]] = [:]
        let total = Double(repetitions * (Self.cases.count + 2))
        for repetition in 0..<repetitions {
            for (index, test) in Self.cases.enumerated() {
                progress("usbip: \(test.name)", Double(repetition * Self.cases.count + index) / total)
                for host in WireHost.allCases {
                    try Task.checkCancellation()
                    let sample = try await host.measureUSBIP(test, seconds: seconds, group: group)
                    samples[test.name, default: [:]][host, default: []].append(sample)
                }
            }
        }
        return try Self.cases.flatMap { try $0.results(samples[$0.name] ?? [:]) }
    }

    private func shared(
        _ group: MultiThreadedEventLoopGroup, _ progress: (String, Double) -> Void
    ) async throws -> [BenchmarkResult] {
        let exporter = SharedExporter(importers: Self.importers, seconds: max(2, seconds))
        progress("usbip: \(Self.importers) importers", 0.9)
        let fairness = try await exporter.fairness(group)
        progress("usbip: an importer that does not read", 0.95)
        let slow = try await exporter.slowImporter(group)
        let mebibyte = Double(1 << 20)
        return try [
            BenchmarkResult(
                name: "importers-\(Self.importers)-slowest", ours: fairness.slowest, peer: fairness.mean,
                peerName: "mean of the importers", unit: "transfers/s", higherIsBetter: true),
            BenchmarkResult(
                name: "beside-slow-importer", ours: Statistics.median(slow.beside) ?? 0,
                peer: Statistics.median(slow.alone) ?? 0, peerName: "2Virt without it", unit: "transfers/s",
                higherIsBetter: true),
            BenchmarkResult(
                name: "slow-importer-memory", ours: Double(max(1, slow.bytes)) / mebibyte,
                peer: Double(ExportServer.memoryBoundOfAnImporter) / mebibyte, peerName: "its bound", unit: "MiB",
                higherIsBetter: false),
        ]
    }
}

import Foundation
import Testing

@testable import Benchmarks

@Suite("Benchmark report")
struct BenchmarkReportTests {
    @Test("JSON has exactly the keys and the shape that scripts read")
    func shape() throws {
        let result = try BenchmarkResult(
            name: "in-512-q32", ours: 3, peer: 4, peerName: "batched C floor", unit: "transfers/s",
            higherIsBetter: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(
            decoding: try encoder.encode(BenchmarkReport(benchmark: "usbredir", results: [result])), as: UTF8.self)
        #expect(
            text == #"{"benchmark":"usbredir","results":[{"higherIsBetter":true,"name":"in-512-q32","ours":3,"#
                + #""peer":4,"peerName":"batched C floor","ratio":0.75,"unit":"transfers\/s"}]}"#)
    }

    @Test("what makes no ratio is refused", arguments: [(0.0, 1.0), (1, 0), (-1, 1), (.infinity, 1), (1, .nan)])
    func refused(ours: Double, peer: Double) {
        #expect(throws: BenchmarkError.self) {
            try BenchmarkResult(
                name: "x", ours: ours, peer: peer, peerName: "y", unit: "ms", higherIsBetter: false)
        }
    }
}

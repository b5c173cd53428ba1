import Testing

@testable import Benchmarks

/// The guest in C checks every answer, so that a run that ends well says more than that it was fast.
@Suite("Wire benchmark")
struct WireBenchmarkTests {
    @Test("every case runs against every host and gives a named ratio")
    func all() async throws {
        let results = try await WireBenchmark(repetitions: 1, seconds: 0.02).run { _, _ in }
        #expect(
            results.map(\.name) == [
                "in-512-q32", "in-512-q32-unbatched", "in-512-q32-cpu", "out-512-q32", "out-512-q32-unbatched",
                "out-512-q32-cpu", "in-16k-q16", "in-16k-q16-unbatched", "in-16k-q16-cpu", "out-16k-q16",
                "out-16k-q16-unbatched", "out-16k-q16-cpu", "control-18-q1-p50", "control-18-q1-p99",
                "control-18-q1-cpu", "in-512-q1-p50", "in-512-q1-p99", "in-512-q1-cpu",
            ])
        #expect(Set(results.map(\.peerName)) == ["batched C floor", "C floor"])
        for result in results {
            #expect(result.ratio == result.ours / result.peer)
            #expect(result.higherIsBetter == (result.unit == "transfers/s"))
        }
    }
}

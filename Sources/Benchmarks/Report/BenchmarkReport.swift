/// What `2virt bench … --json` prints: one benchmark with its results (ARCHITECTURE section 7).
public struct BenchmarkReport: Codable, Sendable, Equatable {
    public var benchmark: String
    public var results: [BenchmarkResult]

    public init(benchmark: String, results: [BenchmarkResult]) {
        self.benchmark = benchmark
        self.results = results
    }
}

/// One quantity of ours and of a peer's, measured alternately in the same run.
public struct BenchmarkResult: Codable, Sendable, Equatable {
    public var name: String
    public var ours: Double
    public var peer: Double
    public var peerName: String
    /// Ours divided by the peer's; where both were measured in turn many times, the median of each time's ratio, which is
    /// not the ratio of the two medians.
    public var ratio: Double
    public var unit: String
    public var higherIsBetter: Bool

    /// - Parameter ratio: when it is more than `ours` divided by `peer`.
    /// - Throws: when one of the two is not a positive number, so that there is no ratio.
    public init(
        name: String, ours: Double, peer: Double, ratio: Double? = nil, peerName: String, unit: String,
        higherIsBetter: Bool
    ) throws(BenchmarkError) {
        guard ours > 0, peer > 0, ours.isFinite, peer.isFinite else {
            throw .noRatio(name: name, ours: ours, peer: peer, peerName: peerName)
        }
        self.name = name
        self.ours = ours
        self.peer = peer
        self.peerName = peerName
        self.ratio = ratio ?? ours / peer
        self.unit = unit
        self.higherIsBetter = higherIsBetter
    }
}

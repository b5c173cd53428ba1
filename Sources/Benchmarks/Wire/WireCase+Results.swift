extension WireCase {
    /// What repeated measurements of ours and of both floors come to.
    func results(_ samples: [WireHost: [WireHost.Sample]]) throws -> [BenchmarkResult] {
        switch kind {
        case .throughput:
            let rates = samples.mapValues { Statistics.median($0.compactMap(\.rate)) ?? 0 }
            return try [WireHost.batchedFloor, .floor].map { peer in
                try BenchmarkResult(
                    name: peer == .floor ? name + "-unbatched" : name, ours: rates[.ours] ?? 0,
                    peer: rates[peer] ?? 0, peerName: peer.rawValue, unit: "transfers/s", higherIsBetter: true)
            }
        case .roundTrip:
            // Wake-ups are bimodal on a busy machine: the best run of each is what the code can do.
            return try [50.0, 99.0].map { percent in
                let best = samples.mapValues {
                    $0.compactMap { Statistics.percentile(percent, of: $0.trips) }.min() ?? 0
                }
                return try BenchmarkResult(
                    name: "\(name)-p\(Int(percent))", ours: best[.ours] ?? 0, peer: best[.floor] ?? 0,
                    peerName: WireHost.floor.rawValue, unit: "µs", higherIsBetter: false)
            }
        }
    }
}

extension WireHost.Sample {
    fileprivate var rate: Double? { if case .rate(let rate) = self { rate } else { nil } }
    fileprivate var trips: [Double] { if case .roundTrips(let trips) = self { trips } else { [] } }
}

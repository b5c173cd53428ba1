extension WireCase {
    /// What repeated measurements of ours and of both floors come to.
    func results(_ samples: [WireHost: [WireSample]]) throws -> [BenchmarkResult] {
        try figures(samples) + [
            BenchmarkResult(
                name: "\(name)-cpu", ours: Self.cpu(samples[.ours]), peer: Self.cpu(samples[.batchedFloor]),
                peerName: WireHost.batchedFloor.rawValue, unit: "ns/transfer", higherIsBetter: false)
        ]
    }

    private func figures(_ samples: [WireHost: [WireSample]]) throws -> [BenchmarkResult] {
        switch kind {
        case .throughput:
            let rates = samples.mapValues { Statistics.median($0.compactMap(\.transfersPerSecond)) ?? 0 }
            return try [WireHost.batchedFloor, .floor].map { peer in
                try BenchmarkResult(
                    name: peer == .floor ? name + "-unbatched" : name, ours: rates[.ours] ?? 0,
                    peer: rates[peer] ?? 0, ratio: Self.ratio(samples[.ours], samples[peer]), peerName: peer.rawValue,
                    unit: "transfers/s", higherIsBetter: true)
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

    /// The median over the rounds: what else the machine does may last for longer than a round, and hits both then.
    private static func ratio(_ ours: [WireSample]?, _ peer: [WireSample]?) -> Double? {
        Statistics.median(
            zip(ours ?? [], peer ?? []).compactMap { ours, peer in
                guard let ours = ours.transfersPerSecond, let peer = peer.transfersPerSecond, peer > 0 else {
                    return nil
                }
                return ours / peer
            })
    }

    private static func cpu(_ samples: [WireSample]?) -> Double {
        Statistics.median(samples?.map(\.cpuPerTransfer) ?? []) ?? 0
    }
}

/// What one measurement of a host came to.
struct WireSample: Sendable {
    let transfers: Double
    /// Of throughput only.
    let transfersPerSecond: Double?
    /// Microseconds from request to reply; none of throughput.
    let trips: [Double]
    /// Nanoseconds that the host's thread was at work, in user and system mode: unlike a rate, what else the machine does
    /// hardly changes it.
    var hostCPU = 0.0

    /// - Parameter elapsed: nanoseconds.
    init(transfers: UInt64, elapsed: UInt64) {
        self.transfers = Double(transfers)
        transfersPerSecond = Double(transfers) / max(1e-9, Double(elapsed) / 1e9)
        trips = []
    }

    /// - Parameter nanoseconds: of each.
    init(trips nanoseconds: some Collection<UInt32>) {
        transfers = Double(nanoseconds.count)
        transfersPerSecond = nil
        trips = nanoseconds.map { Double($0) / 1000 }
    }

    /// Nanoseconds of the host's thread.
    var cpuPerTransfer: Double { hostCPU / max(1, transfers) }
}

import ControlProtocol
import USBCore

extension TrafficRecorder {
    /// Sequence of the newest completed transfer, 0 before the first: unchanged means that nothing passed.
    public var lastSequence: UInt64 { ring.lastSequence }

    /// Transfers submitted and not completed.
    public var pendingCount: Int { pending.count }

    /// What has passed through `interface`, or with nil through the whole device; zeros for a name never assigned.
    public func counters(interface: String? = nil) -> Counters {
        guard let interface else { return total.counters }
        return interfacePositions[interface].map { interfaces[$0].tally.counters } ?? Counters()
    }

    /// What a traffic pane shows: the newest `limit` rows after `sequence`, counters, and finished rate samples.
    public func view(
        selector interface: String? = nil, after sequence: UInt64 = 0, limit: Int = 256
    ) -> TrafficView {
        let offset = clock.wallOffset()
        return TrafficView(
            device: device, interface: interface, sampleSeconds: RateHistory.slotSeconds,
            samples: samples(interface: interface), counters: counters(interface: interface),
            transfers: rows(interface: interface, after: sequence, limit: limit, wallOffset: offset),
            ringCount: ring.count, ringDropped: ring.dropped)
    }

    private func samples(interface: String?) -> [RateSample] {
        let now = clock.now()
        guard let interface else { return total.samples(at: now) }
        guard let position = interfacePositions[interface] else { return [] }
        return interfaces[position].tally.samples(at: now)
    }

    private func rows(
        interface: String?, after sequence: UInt64, limit: Int, wallOffset: Double
    ) -> [TransferRow] {
        var wanted: [Bool] = []
        if let interface { wanted = assignments.map { $0.interface == interface } }
        return ring.newest(limit, after: sequence) { wanted.isEmpty || wanted[Int($0.assignment)] }
            .map { row($0.row, sequence: $0.sequence, wallOffset: wallOffset) }
    }

    private func row(_ row: TransferRing.Row, sequence: UInt64, wallOffset: Double) -> TransferRow {
        let assignment = assignments[Int(row.assignment)]
        let head = row.head.bytes(Int(row.headCount))
        let summary = TransferSummary(
            endpoint: row.endpoint, type: assignment.type, classCode: assignment.classCode,
            interface: assignment.interface, setup: row.setup, length: row.length, actual: row.actual,
            status: row.status, head: head)
        let latency = row.completed >= row.submitted ? row.completed - row.submitted : 0
        return TransferRow(
            sequence: sequence, time: Double(row.submitted) / 1e9 + wallOffset, latency: Double(latency) / 1e3,
            endpoint: row.endpoint.rawValue, type: row.setup == nil ? assignment.type.name : TransferType.control.name,
            interface: assignment.interface, length: row.length, actual: row.actual, status: row.status.rawValue,
            setup: row.setup?.bytes, head: head, decode: decoder?.line(for: summary) ?? "")
    }

    /// Bytes now held by ring, pending table, rate histories and tables, without names and payloads of pending transfers.
    var allocatedBytes: Int {
        ring.allocatedBytes + pending.allocatedBytes + total.rates.allocatedBytes
            + interfaces.reduce(0) { $0 + $1.tally.rates.allocatedBytes }
            + interfaces.count * MemoryLayout<InterfaceTally>.stride
            + assignments.count * MemoryLayout<Assignment>.stride
    }
}

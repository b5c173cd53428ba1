import USBDevice

/// How much one recorder may remember.
public struct TrafficLimits: Sendable, Equatable {
    /// Completed transfers kept for the live list: the smaller of what `rows` and `bytes` allow, at least one.
    public let rows: Int
    /// Submitted transfers whose submission is remembered; a device port admits no more.
    public let pending: Int
    /// Interfaces counted by name since the recorder was made; later names count for the device only.
    public let interfaces: Int
    /// Distinct endpoint roles remembered for rows; later ones are decoded without their class.
    public let assignments: Int

    /// - Parameters:
    ///   - rows: rows of the ring at most.
    ///   - bytes: memory of the ring at most; a row takes `TransferRing.rowBytes`.
    public init(
        rows: Int = 8192, bytes: Int = 1 << 20, pending: Int = 4096, interfaces: Int = 64, assignments: Int = 512
    ) {
        self.rows = max(1, min(rows, bytes / TransferRing.rowBytes))
        self.pending = max(1, min(pending, TransferSlots<PendingTransfer>.capacity))
        self.interfaces = max(0, min(interfaces, 1 << 12))
        self.assignments = max(1, min(assignments, 1 << 14))
    }

    /// Bytes that a recorder under these limits holds at most: ring, pending table and rate histories, without names.
    ///
    /// With the defaults about 2 MiB for the busiest device; a device that never moved a byte holds next to nothing.
    public var memoryBound: Int {
        rows * TransferRing.rowBytes
            + TransferSlots<PendingTransfer>.maximumBytes
            + (interfaces + 1) * RateHistory.bytes
            + interfaces * MemoryLayout<InterfaceTally>.stride
            + assignments * MemoryLayout<Assignment>.stride
    }
}

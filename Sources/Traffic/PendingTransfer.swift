import USBCore

/// What the row of a transfer needs from its submission.
struct PendingTransfer {
    /// Monotonic nanoseconds.
    var submitted: UInt64
    var setup: SetupPacket?
    /// The OUT payload: the same storage that the device holds until completion, not a copy.
    var data: [UInt8]
    var length: Int
}

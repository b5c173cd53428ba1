/// What the pump needs of a claimed interface: numbered slots, each holding at most one bulk transfer.
protocol BulkDevice: AnyObject {
    /// Polls with `pollEvents` while a completed transfer waits to be reaped.
    var pollDescriptor: Int32 { get }
    var pollEvents: Int16 { get }

    /// Starts a transfer of `length` bytes on a free slot. Errors are errno values.
    func submit(slot: Int, endpoint: UInt8, length: Int, zeroPacket: Bool) throws(TransferError)

    /// The next completed transfer, or nil when none has completed yet.
    func reap() throws(TransferError) -> BulkCompletion?

    /// Asks for a transfer to end early; it is still to be reaped.
    func discard(slot: Int)

    /// The slot's memory, `transferSize` bytes, valid as long as the device; not to be touched while in flight.
    func buffer(slot: Int) -> UnsafeMutableRawBufferPointer
}

/// How one bulk transfer ended.
struct BulkCompletion: Equatable {
    var slot: Int
    /// 0, or the errno of the failure.
    var code: Int32
    var length: Int
}

/// A transfer that could not be started or reaped.
struct TransferError: Error, Equatable {
    var code: Int32
}

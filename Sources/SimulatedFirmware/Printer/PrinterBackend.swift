import NIOCore

/// Host side of a printer: takes the bytes of one job after the other. Confined to the function's event loop.
protocol PrinterBackend: AnyObject {
    var sink: (any PrinterSink)? { get set }
    /// Short text for the operator.
    var text: String { get }
    /// Bytes of this job are taken now; asked only while the guest has some. False is back-pressure.
    func isReady() -> Bool
    /// Takes all bytes.
    func write(_ bytes: [UInt8])
    /// The job is complete; what comes next is another.
    func endJob()
    /// Ends the job in hand, if there is one, and then the backend.
    func shutdown()
    /// After `shutdown`: calls `body` once every job has arrived, or cannot arrive any more.
    func whenDrained(_ body: @escaping () -> Void)
}

/// What a printer backend tells its function.
protocol PrinterSink: AnyObject {
    func becameReady()
    /// From the printer to the guest.
    func received(_ bytes: ByteBuffer)
    /// A job has arrived whole; `text` says where.
    func jobDone(_ text: String)
    /// The job in hand is lost; what the guest still sends of it must not be taken for another.
    func jobLost(_ reason: String)
    /// nil when it works again.
    func troubleChanged(_ trouble: String?)
}

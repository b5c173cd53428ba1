/// Bytes at offsets, which may take their time: never called on an event loop, and by one thread at a time.
///
/// Offsets and lengths are within `size`; the caller has checked.
protocol BlockStore: AnyObject {
    /// Bytes.
    var size: UInt64 { get }
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure)
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageFailure)
    /// What has been written survives a power failure, as far as this store promises anything.
    func flush() throws(StorageFailure)
    /// Lets others have the image, of which no more is used than a last flush.
    func unlock()
}

/// What went wrong with an image while it is used.
struct StorageFailure: Error, Equatable, CustomStringConvertible {
    enum Operation: String, Sendable { case read, write, flush }
    var operation: Operation
    var path: String
    /// errno; nil when the file ends before its time.
    var code: CInt?

    var description: String {
        "\(path): \(operation.rawValue): " + (code.map { SocketFile.reason($0) } ?? "the file has become shorter")
    }
}

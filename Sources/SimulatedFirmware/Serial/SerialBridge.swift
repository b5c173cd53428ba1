import NIOCore

/// The wire at a board's serial port: what firmware sends goes to a pty or a socket of the host, and back.
///
/// There is no flow control on such a wire: what nobody at the host takes is lost, as it is with a cable that ends
/// nowhere. Towards firmware nothing is lost: the host is read only as fast as firmware takes.
///
/// Confined to its event loop.
public final class SerialBridge {
    /// Bytes given to firmware at once; a serial port's own buffer has room for more.
    private static let portion = 1024

    private let backend: any SerialBackend
    private let give: ([UInt8]) -> Void
    private let report: (String?) -> Void
    private var waiting = ByteBuffer()
    private var isGiving = false

    /// - Parameters:
    ///   - give: takes bytes for firmware; ``taken()`` is to be called when they are taken.
    ///   - report: told what is wrong with the host's side; nil when it works again.
    /// - Throws: `CatalogueError` when the pty or socket cannot be made.
    public init(
        _ target: SerialTarget, eventLoop: any EventLoop, give: @escaping ([UInt8]) -> Void,
        report: @escaping (String?) -> Void
    ) throws(CatalogueError) {
        backend = try target.open(eventLoop)
        self.give = give
        self.report = report
        backend.sink = self
        backend.read()
    }

    /// Short text for the operator: `pty /dev/pts/4`.
    public var text: String { backend.text }

    /// Firmware has sent bytes.
    public func send(_ bytes: [UInt8]) {
        guard backend.isConnected, backend.isWritable else { return }
        backend.write(ByteBuffer(bytes: bytes))
    }

    /// Firmware has taken what it was given.
    public func taken() {
        isGiving = false
        giveNext()
    }

    public func shutdown() { backend.shutdown() }

    private func giveNext() {
        guard !isGiving else { return }
        guard let portion = waiting.readBytes(length: min(waiting.readableBytes, Self.portion)), !portion.isEmpty else {
            backend.read()
            return
        }
        isGiving = true
        give(portion)
    }
}

extension SerialBridge: SerialSink {
    func connectionChanged() { if !isGiving { backend.read() } }
    func received(_ bytes: ByteBuffer) { waiting.writeImmutableBuffer(bytes) }
    func readCompleted() { giveNext() }
    func becameWritable() {}
    func troubleChanged(_ trouble: String?) { report(trouble) }
}

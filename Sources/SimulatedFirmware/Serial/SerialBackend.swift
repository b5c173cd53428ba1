import NIOCore

/// Host side of a serial function: something that takes and gives bytes, and is or is not connected.
///
/// Confined to the function's event loop.
protocol SerialBackend: AnyObject {
    var sink: (any SerialSink)? { get set }
    /// Short text for the operator.
    var text: String { get }
    /// Somebody is there at the host side.
    var isConnected: Bool { get }
    /// Bytes written now go out soon; false is back-pressure.
    var isWritable: Bool { get }
    /// Takes all bytes, whatever `isWritable` says.
    func write(_ bytes: ByteBuffer)
    /// Asks for one `received`, as soon as there is something.
    func read()
    func shutdown()
}

/// What a serial backend tells its function.
protocol SerialSink: AnyObject {
    func connectionChanged()
    func received(_ bytes: ByteBuffer)
    /// All of one `read` has been received.
    func readCompleted()
    func becameWritable()
    /// The backend is broken for good or for now; nil when it works again.
    func troubleChanged(_ trouble: String?)
}

extension SerialTarget {
    /// Makes the pty, or listens.
    func open(_ eventLoop: any EventLoop) throws(CatalogueError) -> any SerialBackend {
        switch self {
        case .pty: try PtyBackend(eventLoop: eventLoop)
        case .unix, .tcp: try ListenerBackend(self, eventLoop: eventLoop)
        }
    }
}

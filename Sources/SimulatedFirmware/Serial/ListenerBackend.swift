import Glibc
import NIOCore
import NIOPosix

/// A listening socket that serves one client after another; who comes while one is served waits in the backlog.
///
/// A client that has ended its direction still receives until the next client comes.
final class ListenerBackend: SerialBackend {
    weak var sink: (any SerialSink)?
    private let target: SerialTarget
    private let eventLoop: any EventLoop
    private var listener: (any Channel)?
    private var link: SerialLink?
    private var wantsRead = false
    private var isShutDown = false

    init(_ target: SerialTarget, eventLoop: any EventLoop) throws(CatalogueError) {
        eventLoop.preconditionInEventLoop()
        self.target = target
        self.eventLoop = eventLoop
        let descriptor: CInt =
            switch target {
            case .unix(let path): try SocketFile.listen(at: path)
            case .tcp(let host, let port): try SocketFile.listen(host: host, port: port)
            case .pty: throw .unknownSerialTarget(target.text)
            }
        let bound = NIOLoopBound(WeakBackend(self), eventLoop: eventLoop)
        ServerBootstrap(group: eventLoop)
            // One client at a time: the next is accepted when this one has left.
            .serverChannelOption(.autoRead, value: false)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let backend = bound.value.backend else { throw ChannelError.ioOnClosedChannel }
                    try channel.pipeline.syncOperations.addHandler(backend.makeLink())
                }
            }
            .withBoundSocket(descriptor)
            .assumeIsolated()
            .whenComplete { [weak self] result in self?.listening(result) }
    }

    var text: String {
        let state = link == nil ? "nobody connected" : "connected"
        return "\(target.text) (\(state))"
    }

    var isConnected: Bool { link != nil }
    var isWritable: Bool { link?.isWritable ?? false }

    func write(_ bytes: ByteBuffer) { link?.write(bytes) }

    func read() {
        wantsRead = true
        link?.read()
    }

    func shutdown() {
        guard !isShutDown else { return }
        isShutDown = true
        listener?.close(promise: nil)
        listener = nil
        link?.close()
        link = nil
        if case .unix(let path) = target { unlink(path) }
    }

    private func listening(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel) where isShutDown: channel.close(promise: nil)
        case .success(let channel):
            listener = channel
            channel.read()
        case .failure(let error): sink?.troubleChanged("\(target.text): \(error)")
        }
    }

    private func makeLink() -> SerialLink {
        SerialLink(
            SerialLink.Events(
                active: { [weak self] in self?.connected($0) },
                received: { [weak self] in self?.received($0) },
                readCompleted: { [weak self] in self?.sink?.readCompleted() },
                writable: { [weak self] in self?.sink?.becameWritable() },
                inputClosed: { [weak self] in
                    if self?.link === $0 { self?.listener?.read() }
                },
                inactive: { [weak self] link, _ in self?.left(link) }))
    }

    private func connected(_ link: SerialLink) {
        if isShutDown {
            link.close()
            return
        }
        self.link?.close()
        self.link = link
        sink?.connectionChanged()
        if wantsRead { link.read() }
    }

    private func received(_ bytes: ByteBuffer) {
        wantsRead = false
        sink?.received(bytes)
    }

    private func left(_ link: SerialLink) {
        guard self.link === link else { return }
        self.link = nil
        sink?.connectionChanged()
        // A half-closed client has already been followed by a read for the next one; one more does no harm.
        listener?.read()
    }
}

/// Lets a Sendable closure refer to a backend without keeping it.
private struct WeakBackend {
    weak var backend: ListenerBackend?
    init(_ backend: ListenerBackend) { self.backend = backend }
}

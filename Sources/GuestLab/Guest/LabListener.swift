import NIOCore
import NIOPosix

/// A UNIX socket that waits for one connection, QEMU's, and then stops listening.
struct LabListener: Sendable {
    private let server: any Channel
    private let peer: OneShot<any Channel>

    /// Listens on `path`; `configure` adds the handlers of the one connection.
    static func listen(on path: String, configure: @escaping @Sendable (any Channel) throws -> Void) async throws
        -> LabListener
    {
        let peer = OneShot<any Channel>()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try configure(channel)
                    try channel.pipeline.syncOperations.addHandler(ActiveHandler(peer))
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .get()
        return LabListener(server: server, peer: peer)
    }

    /// The connection.
    func accept() async throws -> any Channel {
        defer { close() }
        return try await peer.value()
    }

    /// Ends listening; a waiting ``accept()`` fails.
    func close(_ error: any Error = ChannelError.ioOnClosedChannel) {
        peer.fail(error)
        server.close(promise: nil)
    }

    /// Tells that the connection reads: a server that closes before that leaves it unread for ever.
    private final class ActiveHandler: ChannelInboundHandler {
        typealias InboundIn = Never
        private let peer: OneShot<any Channel>

        init(_ peer: OneShot<any Channel>) { self.peer = peer }

        func channelActive(context: ChannelHandlerContext) {
            peer.succeed(context.channel)
            context.fireChannelActive()
        }
    }
}

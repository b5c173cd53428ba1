import NIOCore
import NIOPosix
import Synchronization

/// A TCP server of the host that sends back what comes.
final class EchoServer: Sendable {
    private let connections = Mutex<[any Channel]>([])
    private let listener = Mutex<(any Channel)?>(nil)

    static func start() async throws -> EchoServer {
        let server = EchoServer()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                server.connections.withLock { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoPeer.Echo())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.listener.withLock { $0 = channel }
        return server
    }

    var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    var accepted: Int { connections.withLock { $0.count } }

    /// Ends all connections.
    func hangUp() async throws {
        for channel in connections.withLock({ $0 }) where channel.isActive { try await channel.close() }
    }

    func stop() async throws {
        try await listener.withLock { $0 }?.close()
        try await hangUp()
    }
}

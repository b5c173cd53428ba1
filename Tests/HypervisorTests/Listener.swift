import NIOCore
import NIOPosix

/// A UNIX socket that accepts, as the usbredir host does, and says nothing.
final class Listener: Sendable {
    let path: String
    let accepted: AsyncStream<any Channel>
    private let channel: any Channel

    init(path: String) async throws {
        self.path = path
        let (accepted, continuation) = AsyncStream.makeStream(of: (any Channel).self)
        self.accepted = accepted
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                continuation.yield(child)
                return child.eventLoop.makeSucceededVoidFuture()
            }
            .bind(unixDomainSocketPath: path).get()
    }

    func close() async throws { try await channel.close().get() }
}

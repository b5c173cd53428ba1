import NIOCore
import NIOPosix
import Synchronization

/// An operator at a guest's shell socket.
final class ShellPeer: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let channel = Mutex<(any Channel)?>(nil)
    private let received: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    private init() {
        (received, continuation) = AsyncStream<String>.makeStream()
    }

    static func connect(to path: String) async throws -> ShellPeer {
        let peer = ShellPeer()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(peer) }
            .connect(unixDomainSocketPath: path)
            .get()
        peer.channel.withLock { $0 = channel }
        return peer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        continuation.yield(String(buffer: unwrapInboundIn(data)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        continuation.finish()
    }

    /// Types `text` and reads until `wanted` has come; false after half a minute or at the end of the connection.
    func say(_ text: String, until wanted: String) async throws -> Bool {
        guard let channel = channel.withLock({ $0 }) else { return false }
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [received] in
                var seen = ""
                for await part in received {
                    seen += part
                    if seen.unicodeScalars.contains(wanted.unicodeScalars) { return true }
                }
                return false
            }
            group.addTask {
                try await Task.sleep(for: .seconds(30))
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    func close() async throws {
        try await channel.withLock { $0 }?.close().get()
    }
}

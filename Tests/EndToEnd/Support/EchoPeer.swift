import NIOCore
import NIOPosix

/// Whoever is at the host's end of a serial interface: sends back what comes.
struct EchoPeer {
    private let channel: any Channel

    static func connect(to socket: String) async throws -> EchoPeer {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }
            .connect(unixDomainSocketPath: socket).get()
        return EchoPeer(channel: channel)
    }

    func close() async throws {
        do { try await channel.close() } catch ChannelError.alreadyClosed {}
    }

    final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
    }
}

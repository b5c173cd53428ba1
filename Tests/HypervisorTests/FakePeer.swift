import NIOCore
import NIOPosix

@testable import Hypervisor

/// A QMP server on a UNIX socket that misbehaves as told.
final class FakePeer: Sendable {
    static let greeting =
        #"{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}}}"# + "\r\n"

    /// What it answers to a line; nil closes the connection.
    typealias Answer = @Sendable (_ command: String, _ id: Int64) -> String?

    private let channel: any Channel

    init(path: String, hello: String, answer: @escaping Answer) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(QMPLineDecoder(limit: 1 << 20)), Handler(hello, answer))
                }
            }
            .bind(unixDomainSocketPath: path).get()
    }

    func close() async throws { try await channel.close().get() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let hello: String
        let answer: Answer

        init(_ hello: String, _ answer: @escaping Answer) {
            self.hello = hello
            self.answer = answer
        }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: hello)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let value = try? JSONParser.parse(unwrapInboundIn(data).readableBytesView),
                let command = value["execute"]?.string,
                let id = value["id"]?.int
            else { return context.close(promise: nil) }
            guard let text = answer(command, id) else { return context.close(promise: nil) }
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        }
    }
}

import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import USBIPCodec
import USBIPTestKit

/// A client behind TLS, with a certificate or without.
struct TLSImporter {
    let channel: any Channel
    private let bytes: NIOLoopBound<Collector>

    static func file(_ name: String) -> String {
        Fixtures.directory.appendingPathComponent("usbip-tls").appendingPathComponent(name).path
    }

    static func connect(port: Int, certificate: String?, group: any EventLoopGroup) async throws -> TLSImporter {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(file("authority.pem"))
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(file("\(certificate).pem"))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(file: file("\(certificate).key"), format: .pem))
        }
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: context, serverHostname: nil), Collector())
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let bytes = try await channel.eventLoop.submit {
            NIOLoopBound(
                try channel.pipeline.syncOperations.handler(type: Collector.self), eventLoop: channel.eventLoop)
        }.get()
        return TLSImporter(channel: channel, bytes: bytes)
    }

    func send(_ buffer: ByteBuffer) async throws { try await channel.writeAndFlush(buffer).get() }

    /// The next `count` bytes; fewer when the connection has ended.
    func receive(_ count: Int) async throws -> ByteBuffer {
        let bytes = bytes
        return try await channel.eventLoop.flatSubmit { bytes.value.wait(for: count, on: bytes.eventLoop) }.get()
    }
}

/// What has come, and who waits for it.
private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var buffer = ByteBuffer()
    private var waiter: (count: Int, promise: EventLoopPromise<ByteBuffer>)?
    private var isOver = false

    func wait(for count: Int, on eventLoop: any EventLoop) -> EventLoopFuture<ByteBuffer> {
        let promise = eventLoop.makePromise(of: ByteBuffer.self)
        waiter = (count, promise)
        serve()
        return promise.futureResult
    }

    private func serve() {
        guard let waiter, isOver || buffer.readableBytes >= waiter.count else { return }
        self.waiter = nil
        waiter.promise.succeed(buffer.readSlice(length: min(waiter.count, buffer.readableBytes)) ?? ByteBuffer())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        serve()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOver = true
        serve()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isOver = true
        serve()
        context.close(promise: nil)
    }
}

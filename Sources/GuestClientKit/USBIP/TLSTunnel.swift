import CUSBFS
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A plain stream whose bytes travel by TLS: the kernel can use nothing but a plain socket, so one end of a socket pair
/// is the kernel's, and a thread of this process moves bytes between the other end and the exporter.
final class TLSTunnel: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    private init(group: MultiThreadedEventLoopGroup, channel: any Channel) {
        self.group = group
        self.channel = channel
    }

    /// Connects, shakes hands, and returns the tunnel with the plain end.
    static func open(
        to address: ExporterAddress, _ files: TLSFiles
    ) throws(GuestError) -> (tunnel: TLSTunnel, plain: StreamSocket) {
        let context = try files.context()
        let remote = try StreamSocket.connect(to: address)
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .failed("socketpair: \(errorText(errno))")
        }
        let plain = StreamSocket(descriptor: ends[0], peer: address.description)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let channel = try connect(
                local: ends[1], remote: remote.release(), context, name: files.serverName ?? address.host, on: group)
            return (TLSTunnel(group: group, channel: channel), plain)
        } catch {
            // The failure that matters is the one being reported.
            try? group.syncShutdownGracefully()
            throw .refused("\(address): TLS: \(error)")
        }
    }

    private static func connect(
        local: Int32, remote: Int32, _ context: NIOSSLContext, name: String, on group: MultiThreadedEventLoopGroup
    ) throws -> any Channel {
        let loop = group.next()
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        let shaken = loop.makePromise(of: Void.self)
        let bootstrap = ClientBootstrap(group: loop).channelOption(.autoRead, value: false)
        let plain = try bootstrap.withConnectedSocket(local).wait()
        let secure = try ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // An address is checked against those in the certificate; it must not be sent as a name.
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
                    try channel.pipeline.syncOperations.addHandlers(tls, HandshakeWaiter(done: shaken))
                }
            }
            .withConnectedSocket(remote)
            .wait()
        do {
            try shaken.futureResult.wait()
            try loop.submit {
                let (near, far) = StreamJoin.pair()
                try secure.pipeline.syncOperations.addHandler(near)
                try plain.pipeline.syncOperations.addHandler(far)
                _ = plain.setOption(.autoRead, value: true)
            }.wait()
        } catch {
            plain.close(promise: nil)
            secure.close(promise: nil)
            throw error
        }
        return secure
    }

    /// Blocks until either end has closed.
    func waitUntilClosed() {
        // The channel's end is all there is to know; why it ended, the kernel's log or the exporter tells.
        try? channel.closeFuture.wait()
        try? group.syncShutdownGracefully()
    }
}

/// Tells when TLS is up, or why it is not.
private final class HandshakeWaiter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var done: EventLoopPromise<Void>?

    init(done: EventLoopPromise<Void>) { self.done = done }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { finish(nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(ChannelError.eof)
        context.fireChannelInactive()
    }

    private func finish(_ error: (any Error)?) {
        guard let promise = done else { return }
        done = nil
        if let error { promise.fail(error) } else { promise.succeed(()) }
    }
}

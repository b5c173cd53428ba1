import Foundation
import Logging
import NIOCore
import NIOPosix
import USBCore
import USBDevice

/// The private UNIX socket that a VM's chardev connects to; it serves one link at a time.
///
/// Confined to its event loop, which is the port's.
public final class RedirectionListener {
    public let eventLoop: any EventLoop
    /// The link in use.
    public private(set) var session: RedirectionSession?

    private let makeSession: () -> RedirectionSession
    private let logger: Logger
    private var serverChannel: (any Channel)?
    private var linkChannel: (any Channel)?

    /// - Parameters:
    ///   - pipelinesBulkIn: true behind xHCI only; see `RedirectionSession`.
    ///   - onEvent: called on the event loop, in order, for every link.
    public init(
        port: DevicePort, speed: Speed, pipelinesBulkIn: Bool = true, eventLoop: any EventLoop,
        limits: RedirectionLimits = RedirectionLimits(), logger: Logger, onEvent: @escaping (RedirectionEvent) -> Void
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.limits = limits
        makeSession = {
            RedirectionSession(
                port: port, speed: speed, pipelinesBulkIn: pipelinesBulkIn, limits: limits, logger: logger,
                onEvent: onEvent)
        }
    }

    private let limits: RedirectionLimits

    /// Listens on `path`, in a directory that only its owner may enter; a stale socket there is replaced.
    ///
    /// - Parameter mode: access to the socket: 0600, unless the hypervisor runs as another user.
    public func listen(unixPath path: String, mode: UInt16 = 0o600) -> EventLoopFuture<Void> {
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        let limits = limits
        return ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try this.value.accept(channel) }
            }
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: limits.writeBufferLowMark, high: limits.writeBufferHighMark)
            )
            // Several reads a cycle, so that a large transfer costs one wake-up.
            .childChannelOption(.maxMessagesPerRead, value: 8)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .flatMapThrowing { channel in
                this.value.serverChannel = channel
                try FileManager.default.setAttributes([.posixPermissions: Int(mode)], ofItemAtPath: path)
            }
    }

    /// Ends the link, which unplugs the device, and the socket.
    public func close() -> EventLoopFuture<Void> {
        let link = linkChannel?.close() ?? eventLoop.makeSucceededVoidFuture()
        let server = serverChannel?.close() ?? eventLoop.makeSucceededVoidFuture()
        serverChannel = nil
        linkChannel = nil
        return link.flatMapError { [eventLoop] in Self.alreadyClosed($0, eventLoop) }
            .and(server.flatMapError { [eventLoop] in Self.alreadyClosed($0, eventLoop) }).map { _ in }
    }

    /// Ends the link only; the VM may connect again.
    public func closeLink() {
        linkChannel?.close(promise: nil)
    }

    private static func alreadyClosed(_ error: any Error, _ loop: any EventLoop) -> EventLoopFuture<Void> {
        if case .alreadyClosed? = error as? ChannelError { return loop.makeSucceededVoidFuture() }
        return loop.makeFailedFuture(error)
    }

    private func accept(_ channel: any Channel) throws {
        guard linkChannel == nil else {
            logger.warning("usbredir: a second link while one is open is refused")
            throw RedirectionError.link("one link is open already")
        }
        let session = makeSession()
        try channel.pipeline.syncOperations.addHandler(session)
        linkChannel = channel
        self.session = session
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        channel.closeFuture.whenComplete { _ in
            this.value.linkChannel = nil
            this.value.session = nil
        }
    }
}

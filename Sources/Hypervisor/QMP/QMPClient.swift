import Foundation
import NIOCore
import NIOPosix

/// One connection to one QMP UNIX socket.
public final class QMPClient: Sendable {
    public let socketPath: String
    /// Events since the connection was made; ends when the connection does. One reader.
    public let events: AsyncStream<QMPEvent>

    private let channel: any Channel
    private let handler: NIOLoopBound<QMPChannelHandler>

    private init(
        socketPath: String, events: AsyncStream<QMPEvent>, channel: any Channel,
        handler: NIOLoopBound<QMPChannelHandler>
    ) {
        self.socketPath = socketPath
        self.events = events
        self.channel = channel
        self.handler = handler
    }

    /// Connects, waits for the greeting and leaves capability negotiation.
    public static func connect(
        socketPath: String, group: any EventLoopGroup, limits: QMPLimits = QMPLimits(),
        greetingTimeout: TimeAmount = .seconds(2)
    ) async throws(QMPError) -> QMPClient {
        let client = try await open(socketPath: socketPath, group: group, limits: limits)
        do throws(QMPError) {
            _ = try await client.greeting(within: greetingTimeout)
            _ = try await client.execute("qmp_capabilities")
            return client
        } catch {
            await client.close()
            throw error
        }
    }

    /// Connects only: a socket whose QEMU serves somebody else connects, and greets when that client leaves.
    static func open(
        socketPath: String, group: any EventLoopGroup, limits: QMPLimits
    ) async throws(QMPError) -> QMPClient {
        // sockaddr_un holds 108 bytes with the terminating NUL.
        guard (1...107).contains(socketPath.utf8.count), !socketPath.utf8.contains(0) else {
            throw .badPath(socket: socketPath, reason: "a UNIX socket path has 1 to 107 bytes and no NUL")
        }
        let (events, continuation) = AsyncStream.makeStream(
            of: QMPEvent.self, bufferingPolicy: .bufferingNewest(limits.bufferedEvents))
        do {
            let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(2))
            let made = try await bootstrap.connect(unixDomainSocketPath: socketPath) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = QMPChannelHandler(
                        socket: socketPath, limits: limits, events: continuation, channel: channel)
                    let lines = ByteToMessageHandler(QMPLineDecoder(limit: limits.lineLength))
                    try channel.pipeline.syncOperations.addHandlers(lines, handler)
                    return (channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
                }
            }
            return QMPClient(socketPath: socketPath, events: events, channel: made.0, handler: made.1)
        } catch {
            continuation.finish()
            let code = (error as? IOError)?.errnoCode
            // A full listen queue: Linux refuses a non-blocking UNIX connect with EAGAIN.
            if code == EAGAIN { throw .busy(socket: socketPath) }
            throw .connectFailed(socket: socketPath, reason: code.map(errorText) ?? "\(error)")
        }
    }

    /// The greeting; throws `noGreeting` after `timeout` and keeps the connection, so it may be asked again.
    func greeting(within timeout: TimeAmount) async throws(QMPError) -> QMPGreeting {
        try await onLoop { $0.waitForGreeting(timeout: timeout, promise: $1) }
    }

    /// Runs one command and returns what QEMU answered.
    public func execute(
        _ command: String, _ arguments: JSONValue? = nil, timeout: TimeAmount = .seconds(5)
    ) async throws(QMPError) -> JSONValue {
        try await onLoop { $0.execute(command, arguments, timeout: timeout, promise: $1) }
    }

    /// A human monitor command: the text QEMU prints.
    func humanMonitor(_ line: String) async throws(QMPError) -> String {
        let answer = try await execute("human-monitor-command", ["command-line": .string(line)])
        return answer.string ?? ""
    }

    /// Starts to wait for an event before the command that causes it is sent.
    func expect(
        _ what: String, within timeout: TimeAmount, _ accepts: @escaping @Sendable (QMPEvent) -> Bool
    ) -> EventLoopFuture<QMPEvent> {
        let promise = channel.eventLoop.makePromise(of: QMPEvent.self)
        let handler = handler
        channel.eventLoop.execute {
            handler.value.waitForEvent(what, timeout: timeout, promise: promise, accepts: accepts)
        }
        return promise.futureResult
    }

    /// Process id of the peer that listens, by SO_PEERCRED; nil when it lives in another PID namespace.
    func peerProcess() async -> Int32? {
        guard let socket = channel as? any SocketOptionProvider else { return nil }
        let option = NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        let future: EventLoopFuture<PeerCredentials> = socket.unsafeGetSocketOption(level: .socket, name: option)
        guard let credentials = try? await future.get(), credentials.pid > 0 else { return nil }
        return credentials.pid
    }

    /// Why the connection ended; nil while it lives.
    func endReason() async -> QMPError? {
        let handler = handler
        return try? await channel.eventLoop.submit { handler.value.endReason }.get()
    }

    /// Closes the connection; everything that waits fails with `closed`.
    public func close() async {
        let handler = handler
        let socketPath = socketPath
        channel.eventLoop.execute { handler.value.fail(.closed(socket: socketPath, during: nil)) }
        // Only fails when the event loop is shut down, and then the socket is closed too.
        try? await channel.closeFuture.get()
    }

    private func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (QMPChannelHandler, EventLoopPromise<Value>) -> Void
    ) async throws(QMPError) -> Value {
        let promise = channel.eventLoop.makePromise(of: Value.self)
        let handler = handler
        channel.eventLoop.execute { body(handler.value, promise) }
        return try await promise.futureResult.qmpValue(socket: socketPath)
    }
}

/// `struct ucred` of unix(7), which the Glibc module does not show.
private struct PeerCredentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

extension EventLoopFuture where Value: Sendable {
    /// The value, with the error typed: only `QMPError` is ever put into these promises.
    func qmpValue(socket: String) async throws(QMPError) -> Value {
        do {
            return try await get()
        } catch let error as QMPError {
            throw error
        } catch {
            throw .connectFailed(socket: socket, reason: "\(error)")
        }
    }
}

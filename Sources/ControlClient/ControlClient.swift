import ControlProtocol
import ControlSocket
import Foundation
import NIOCore
import NIOPosix

/// One connection to an engine: commands with their outcomes, and what the engine pushes.
public final class ControlClient: Sendable {
    /// Pushes kept for a reader that is behind; older ones are dropped, a gap in event sequences tells.
    private static let pushBacklog = 1024

    public let socket: String
    public let greeting: Greeting
    /// Everything pushed on this connection; throws the `ControlClientError` that ended it. For one reader.
    public let pushes: AsyncThrowingStream<Push, any Error>

    private let actor: String
    private let channel: any Channel
    private let handler: NIOLoopBound<ControlClientHandler>

    private init(
        socket: String, greeting: Greeting, pushes: AsyncThrowingStream<Push, any Error>, actor: String,
        channel: any Channel, handler: NIOLoopBound<ControlClientHandler>
    ) {
        self.socket = socket
        self.greeting = greeting
        self.pushes = pushes
        self.actor = actor
        self.channel = channel
        self.handler = handler
    }

    /// Connects to the engine on `socket`, as `actor` (`root@pts/1`), and returns once it has greeted.
    public static func connect(to socket: String, actor: String) async throws(ControlClientError) -> ControlClient {
        do { try SocketDirectory.check(socket: socket) } catch { throw .refusedPath(error) }
        let (pushes, continuation) = AsyncThrowingStream.makeStream(
            of: Push.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(pushBacklog))
        let channel: any Channel
        let handler: NIOLoopBound<ControlClientHandler>
        let greeted: EventLoopFuture<Greeting>
        do {
            (channel, handler, greeted) = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(unixDomainSocketPath: socket) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let promise = channel.eventLoop.makePromise(of: Greeting.self)
                        let handler = ControlClientHandler(socket: socket, greeted: promise, pushes: continuation)
                        let decoder = LineFrameDecoder(limit: ControlProtocol.maximumLineLength)
                        try channel.pipeline.syncOperations.addHandlers(ByteToMessageHandler(decoder), handler)
                        return (channel, NIOLoopBound(handler, eventLoop: channel.eventLoop), promise.futureResult)
                    }
                }
        } catch {
            continuation.finish(throwing: error)
            throw connectError(error, socket: socket)
        }
        do {
            let peer: Result<Void, any Error>
            do { peer = .success(try await checkPeer(of: channel, socket: socket)) } catch { peer = .failure(error) }
            // A peer that cannot be asked has left already: then what it said, or did not say, is the better reason.
            if case .failure(let error as ControlClientError) = peer { throw error }
            let greeting = try await greeted.get()
            try peer.get()
            return ControlClient(
                socket: socket, greeting: greeting, pushes: pushes, actor: actor, channel: channel, handler: handler)
        } catch {
            channel.close(promise: nil)
            throw error as? ControlClientError ?? .system(socket: socket, message: String(describing: error))
        }
    }

    /// Sends a command and waits for its outcome; throws `ControlClientError` when the connection ends first.
    public func send(_ command: Command) async throws -> Outcome {
        let outcome = channel.eventLoop.makePromise(of: Outcome.self)
        channel.eventLoop.execute { [handler, actor, channel] in
            handler.value.send(command, actor: actor, outcome: outcome, channel: channel)
        }
        return try await outcome.futureResult.get()
    }

    /// Ends the connection; whoever waits for an outcome or a push gets `cancelled`.
    public func close() {
        channel.eventLoop.execute { [handler, channel] in handler.value.cancel(channel: channel) }
    }

    private static func connectError(_ error: any Error, socket: String) -> ControlClientError {
        guard let error = error as? IOError else { return .system(socket: socket, message: String(describing: error)) }
        return switch error.errnoCode {
        case ENOENT, ECONNREFUSED: .nobodyListening(socket: socket)
        default: .system(socket: socket, message: String(cString: strerror(error.errnoCode)))
        }
    }

    /// Whoever serves the socket could lie about devices and read what is typed: only this user and root may.
    private static func checkPeer(of channel: any Channel, socket: String) async throws {
        guard let provider = channel as? any SocketOptionProvider else { return }
        let peer: PeerCredentials = try await provider.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED)
        ).get()
        guard peer.user == geteuid() || peer.user == 0 else {
            throw ControlClientError.foreignPeer(socket: socket, user: peer.user)
        }
    }
}

/// `struct ucred` of unix(7), which Glibc's module leaves out.
private struct PeerCredentials {
    var process: Int32 = 0
    var user: UInt32 = .max
    var group: UInt32 = .max
}

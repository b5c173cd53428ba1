import ControlProtocol
import ControlSocket
import Foundation
import Logging
import NIOCore
import NIOPosix

/// Listens on the control socket and gives each client a connection of its own.
public final class ControlServer: Sendable {
    /// Clients that may be connected at once.
    static let maximumConnections = 128

    private let channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
    private let engine: Engine
    private let logger: Logger

    /// Binds `socket` (mode 0600, in a directory of the user's own).
    ///
    /// - Throws: when another engine listens there, or the path cannot be used.
    public static func bind(socket: String, engine: Engine, logger: Logger) async throws -> ControlServer {
        try SocketDirectory.prepare(forSocket: socket)
        try removeDead(socket)
        // The socket must not be reachable by others for even a moment.
        let mask = umask(0o177)
        defer { umask(mask) }
        let channel = try await ServerBootstrap(group: engine.group)
            .serverChannelOption(.backlog, value: 64)
            .bind(unixDomainSocketPath: socket) { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(LineFrameDecoder(limit: ControlProtocol.maximumLineLength)))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: child)
                }
            }
        return ControlServer(channel: channel, engine: engine, logger: logger)
    }

    private init(
        channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>, engine: Engine, logger: Logger
    ) {
        self.channel = channel
        self.engine = engine
        self.logger = logger
    }

    /// Serves until cancelled or closed.
    public func run() async throws {
        let (engine, logger) = (engine, logger)
        try await withThrowingDiscardingTaskGroup { group in
            try await channel.executeThenClose { clients in
                let limit = ConnectionLimit(Self.maximumConnections)
                for try await client in clients {
                    guard limit.take() else {
                        logger.warning("control socket: more than \(Self.maximumConnections) clients, one is refused")
                        client.channel.close(promise: nil)
                        continue
                    }
                    group.addTask {
                        defer { limit.give() }
                        await ControlConnection(engine: engine, logger: logger).run(client)
                    }
                }
            }
        }
    }

    public func close() async {
        // Closing what is closed already is the wanted state.
        try? await channel.channel.close()
    }

    /// A socket file that nobody listens on is what a killed engine left.
    private static func removeDead(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        if try SocketProbe.isListening(path) {
            throw ControlServerError.alreadyRunning(path)
        }
        guard unlink(path) == 0 else {
            throw ControlServerError.system("remove", path, String(cString: strerror(errno)))
        }
    }
}

/// Why the engine cannot listen.
public enum ControlServerError: Error, CustomStringConvertible {
    case alreadyRunning(String)
    case system(String, String, String)

    public var description: String {
        switch self {
        case .alreadyRunning(let path):
            "an engine listens on \(path) already; use it, stop it, or name another socket with --socket"
        case .system(let operation, let path, let message): "cannot \(operation) \(path): \(message)"
        }
    }
}

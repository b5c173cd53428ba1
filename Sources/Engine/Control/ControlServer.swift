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
    private let socket: String
    private let lock: FileHandle
    private let engine: Engine
    private let logger: Logger

    /// Binds `socket` (mode 0600, in a directory of the user's own).
    ///
    /// - Throws: when another engine listens there, or the path cannot be used.
    public static func bind(socket: String, engine: Engine, logger: Logger) async throws -> ControlServer {
        let listener = try ControlListener.listen(socket)
        let channel = try await ServerBootstrap(group: engine.controlGroup)
            .bind(listener.descriptor) { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(LineFrameDecoder(limit: ControlProtocol.maximumLineLength)))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: child)
                }
            }
        return ControlServer(
            channel: channel, socket: socket, lock: listener.lock, engine: engine, logger: logger)
    }

    private init(
        channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>, socket: String, lock: FileHandle,
        engine: Engine, logger: Logger
    ) {
        self.channel = channel
        self.socket = socket
        self.lock = lock
        self.engine = engine
        self.logger = logger
    }

    /// Serves until cancelled or closed.
    public func run() async throws {
        let (engine, logger) = (engine, logger)
        try await withThrowingDiscardingTaskGroup { group in
            try await channel.executeThenClose { clients in
                let limit = ConnectionLimit(Self.maximumConnections)
                var refusals = 0
                for try await client in clients {
                    guard limit.take() else {
                        refusals += 1
                        if refusals.isMultiple(of: Self.maximumConnections) || refusals == 1 {
                            logger.warning(
                                "control socket: more than \(Self.maximumConnections) clients; \(refusals) refused so far"
                            )
                        }
                        group.addTask { await Self.refuse(client) }
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

    /// Ends all connections and removes the socket.
    public func close() async {
        // The file goes first: from now on nobody takes us for an engine that answers.
        unlink(socket)
        // Closing what is closed already is the wanted state.
        try? await channel.channel.close()
    }

    private static func refuse(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        // That it could not even be told so is no news: the client has gone.
        try? await client.executeThenClose { _, writer in
            let reason = "more than \(maximumConnections) clients are connected to this engine"
            try await writer.write(try SharedLine.encode(.response(Response(id: 0, outcome: .failed(reason)))))
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

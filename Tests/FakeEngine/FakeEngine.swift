import ControlProtocol
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// An engine without devices for tests: a UNIX socket that speaks the control protocol, or says what a test wants.
public final class FakeEngine: Sendable {
    /// What a connection meets.
    public enum Behaviour: Sendable {
        /// Greets, shows the snapshot, does every command.
        case serving(Snapshot)
        /// Sends these bytes on accept, then answers nothing.
        case raw(String)
        /// Sends these bytes on accept, then closes.
        case rawThenClose(String)
        /// Greets, then answers each line with these bytes.
        case greetingThenRaw(String)
    }

    public let socket: String
    private let server: any Channel
    private let state: State

    /// Connections that came, and commands that they sent.
    final class State: Sendable {
        struct Values {
            var connections: [any Channel] = []
            var requests: [Request] = []
        }
        let values = Mutex(Values())
        let requestStream: AsyncStream<Request>
        let requestContinuation: AsyncStream<Request>.Continuation
        init() { (requestStream, requestContinuation) = AsyncStream.makeStream() }
    }

    private init(socket: String, server: any Channel, state: State) {
        self.socket = socket
        self.server = server
        self.state = state
    }

    public static func start(socket: String, behaviour: Behaviour) async throws -> FakeEngine {
        let state = State()
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    state.values.withLock { $0.connections.append(channel) }
                    try channel.pipeline.syncOperations.addHandler(Connection(behaviour: behaviour, state: state))
                }
            }
            .bind(unixDomainSocketPath: socket, cleanupExistingSocketFile: true).get()
        return FakeEngine(socket: socket, server: server, state: state)
    }

    /// Commands in the order of their coming, for one reader.
    public var requests: AsyncStream<Request> { state.requestStream }
    /// Commands that have come so far.
    public var received: [Request] { state.values.withLock(\.requests) }

    /// Sends a push to everybody connected.
    public func push(_ push: Push) throws {
        let line = try FakeEngine.line(.push(push))
        for channel in state.values.withLock(\.connections) { channel.writeAndFlush(line, promise: nil) }
    }

    /// Ends every connection, and keeps listening.
    public func dropConnections() {
        let connections = state.values.withLock { values in
            defer { values.connections = [] }
            return values.connections
        }
        for channel in connections { channel.close(promise: nil) }
    }

    /// Ends everything.
    public func stop() async throws {
        try await server.close()
        dropConnections()
        state.requestContinuation.finish()
    }

    static func line(_ line: ServerLine) throws -> ByteBuffer {
        var buffer = try ByteBuffer(bytes: JSONEncoder().encode(line))
        buffer.writeString("\n")
        return buffer
    }
}

extension FakeEngine {
    /// One connection's server side.
    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let behaviour: Behaviour
        private let state: State
        private var input = ByteBuffer()

        init(behaviour: Behaviour, state: State) {
            self.behaviour = behaviour
            self.state = state
        }

        func channelActive(context: ChannelHandlerContext) {
            switch behaviour {
            case .serving, .greetingThenRaw:
                send(.greeting(Greeting(pid: getpid())), context)
            case .raw(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .rawThenClose(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                context.close(promise: nil)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            input.writeImmutableBuffer(unwrapInboundIn(data))
            while let newline = input.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let length = newline - input.readerIndex
                guard let line = input.readBytes(length: length) else { return }
                input.moveReaderIndex(forwardBy: 1)
                guard let request = try? JSONDecoder().decode(Request.self, from: Data(line)) else {
                    return context.close(promise: nil)
                }
                state.values.withLock { $0.requests.append(request) }
                state.requestContinuation.yield(request)
                answer(request, context)
            }
        }

        private func answer(_ request: Request, _ context: ChannelHandlerContext) {
            switch behaviour {
            case .serving(let snapshot):
                serve(request, snapshot, context)
            case .greetingThenRaw(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .raw, .rawThenClose:
                break
            }
        }

        private func serve(_ request: Request, _ snapshot: Snapshot, _ context: ChannelHandlerContext) {
            let outcome: Outcome =
                switch request.command {
                case .snapshot: .snapshot(snapshot)
                case .events: .events([])
                case .plug(let device, _, _) where snapshot.device(device) == nil: .failed("no device '\(device)'")
                default: .done("done")
                }
            send(.response(Response(id: request.id, outcome: outcome)), context)
            if case .subscribe(let subscription) = request.command, subscription.snapshots {
                send(.push(.snapshot(snapshot)), context)
            }
        }

        private func send(_ line: ServerLine, _ context: ChannelHandlerContext) {
            do {
                try context.writeAndFlush(wrapOutboundOut(FakeEngine.line(line)), promise: nil)
            } catch {
                context.fireErrorCaught(error)
            }
        }
    }
}

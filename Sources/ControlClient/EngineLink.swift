import ControlProtocol

/// A connection to an engine that is made again whenever it ends, as a console wants it.
public actor EngineLink {
    /// What the owner of a link is told.
    public enum Event: Sendable {
        case connected(Greeting)
        case push(Push)
        /// The engine is away; the next attempt is made after `retryIn` seconds.
        case lost(reason: String, retryIn: Double)
    }

    /// Seconds between attempts: doubling from the first to the last.
    static let firstPause = 0.25
    static let lastPause = 5.0

    /// For one reader; ends after `stop`.
    public nonisolated let events: AsyncStream<Event>

    private let socket: String
    private let actor: String
    private let continuation: AsyncStream<Event>.Continuation
    private var subscription: Subscription
    private var client: ControlClient?
    private var runner: Task<Void, Never>?
    /// Attempts that failed in a row.
    private var failures = 0

    public init(socket: String, actor: String, subscription: Subscription) {
        self.socket = socket
        self.actor = actor
        self.subscription = subscription
        (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1024))
    }

    /// Starts connecting; once.
    public func start() {
        guard runner == nil else { return }
        runner = Task { await run() }
    }

    /// Ends the connection and `events`.
    public func stop() {
        runner?.cancel()
        client?.close()
        client = nil
        continuation.finish()
    }

    /// Sends a command on the present connection; `failed` when there is none or it ends first.
    public func send(_ command: Command) async -> Outcome {
        guard let client else { return .failed("no engine listens on \(socket); connecting again") }
        do {
            return try await client.send(command)
        } catch {
            return .failed("\(error)")
        }
    }

    /// Replaces what is pushed, now and after each reconnection.
    public func subscribe(_ subscription: Subscription) async {
        guard subscription != self.subscription else { return }
        self.subscription = subscription
        // Without a connection the next one subscribes.
        if client != nil { _ = await send(.subscribe(subscription)) }
    }

    private func run() async {
        while !Task.isCancelled {
            let reason = await serveOneConnection()
            client = nil
            guard !Task.isCancelled else { break }
            let pause = min(Self.firstPause * Double(1 << min(failures, 10)), Self.lastPause)
            failures += 1
            continuation.yield(.lost(reason: reason, retryIn: pause))
            do { try await Task.sleep(for: .seconds(pause)) } catch { break }
        }
        continuation.finish()
    }

    /// Connects, subscribes and passes pushes on until the connection ends; returns why it did.
    private func serveOneConnection() async -> String {
        do {
            let client = try await ControlClient.connect(to: socket, actor: actor)
            guard !Task.isCancelled else {
                client.close()
                return "stopped"
            }
            self.client = client
            continuation.yield(.connected(client.greeting))
            if case .failed(let reason) = try await client.send(.subscribe(subscription)) {
                client.close()
                return "the engine on \(socket) refused the subscription: \(reason)"
            }
            for try await push in client.pushes {
                failures = 0
                continuation.yield(.push(push))
            }
            return "the engine on \(socket) closed the connection"
        } catch {
            return "\(error)"
        }
    }
}

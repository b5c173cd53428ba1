import ControlClient
import ControlProtocol
import ControlSocket

extension EngineOptions {
    /// Connects to the engine; starts one in the background, and says so, when none listens.
    func connect() async throws -> ControlClient {
        let socket = try socketPath()
        do {
            return try await ControlClient.connect(to: socket, actor: OperatorName.current)
        } catch  where error.isNobodyListening {
            try await startEngine(socket: socket)
            return try await ControlClient.connect(to: socket, actor: OperatorName.current)
        }
    }

    /// Returns once an engine listens on `socket`, whoever started it.
    func startEngine(socket: String) async throws {
        let paths = EnginePaths.current
        StandardError.write("2virt: no engine on \(socket); starting one in the background (log: \(paths.engineLog))")
        try SocketDirectory.prepare(forSocket: socket)
        let launcher = EngineLauncher(configuration: configurationPath, socket: socket, log: paths.engineLog)
        do {
            let engine = try await launcher.start()
            StandardError.write("2virt: engine started, pid \(engine.pid)")
        } catch {
            // Another console may have been a moment faster.
            guard let client = try? await ControlClient.connect(to: socket, actor: OperatorName.current) else {
                throw error
            }
            StandardError.write("2virt: using the engine with pid \(client.greeting.pid)")
            client.close()
        }
    }

    /// Sends one command and returns the engine's sentence; a refusal is thrown with its reason.
    func perform(_ command: Command) async throws -> String {
        let client = try await connect()
        defer { client.close() }
        switch try await client.send(command) {
        case .done(let sentence): return sentence
        case .failed(let reason): throw CommandFailure(reason)
        case .snapshot, .events: throw CommandFailure("the engine answered with something else than was asked")
        }
    }

    /// The present state of everything.
    func snapshot() async throws -> Snapshot {
        let client = try await connect()
        defer { client.close() }
        switch try await client.send(.snapshot) {
        case .snapshot(let snapshot): return snapshot
        case .failed(let reason): throw CommandFailure(reason)
        case .done, .events: throw CommandFailure("the engine answered with something else than was asked")
        }
    }
}

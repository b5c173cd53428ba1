import ArgumentParser
import ControlSocket
import Engine
import Foundation
import Logging

/// `2virt engine`
struct EngineVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "Run the engine in the foreground: it owns the devices and serves consoles and verbs.",
        discussion: "SIGTERM and SIGINT end it; what is plugged is plugged again by the next engine.")

    @OptionGroup var engine: EngineOptions

    @Option(help: ArgumentHelp("Report on this descriptor once it listens, or why it does not.", visibility: .private))
    var readyFd: Int32?

    @Flag(help: "Log every detail.") var verbose = false

    func run() async throws {
        do {
            try await serve()
        } catch {
            report(.failed("\(error)"))
            throw error
        }
    }

    private func serve() async throws {
        let verbose = verbose
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = verbose ? .debug : .notice
            return handler
        }
        let logger = Logger(label: "2virt")
        let file = try configurationFile()
        let configuration = try file.map { try ConfigurationReader.read(file: $0) } ?? Configuration()
        let socket = try engine.socketPath()
        let core = Engine(
            configuration: configuration,
            settings: EngineConfiguration.settings(socket: socket), logger: logger)
        let server = try await ControlServer.bind(socket: socket, engine: core, logger: logger)
        try await core.start()
        report(.ready)
        let ends = TerminationSignals()
        try await core.serve(server) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await core.waitForShutdownRequest() }
                group.addTask { await ends.wait() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// The file named, or the default one where it exists.
    private func configurationFile() throws -> String? {
        if let named = engine.configurationPath { return named }
        let standard = EnginePaths.current.configurationFile
        return FileManager.default.fileExists(atPath: standard) ? standard : nil
    }

    private func report(_ readiness: EngineReadiness) {
        guard let readyFd, readyFd > 2 else { return }
        readiness.report(on: readyFd)
    }
}

/// Where an engine of this user keeps its state.
enum EngineConfiguration {
    /// The default socket has the default state file; each other socket has one of its own, so that two engines do not
    /// overwrite each other's state.
    static func settings(socket: String) -> EngineSettings {
        let paths = EnginePaths.current
        let name = socket == paths.socket() ? "state" : "state-" + fingerprint(socket)
        return EngineSettings(
            socket: socket, stateFile: "\(paths.stateDirectory)/\(name).json", version: TwoVirt.configuration.version)
    }

    /// FNV-1a, in hexadecimal: short, and the same in every run.
    private static func fingerprint(_ text: String) -> String {
        String(text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 16)
    }
}

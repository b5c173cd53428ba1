import ArgumentParser
import ControlSocket
import Foundation

/// `--config` and `--socket`, which every verb takes.
struct EngineOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "Configuration file. (default: $XDG_CONFIG_HOME/2virt/config.toml, when it exists)", valueName: "file"),
        completion: .file(extensions: ["toml"]))
    var configuration: String?

    @Option(
        help: ArgumentHelp(
            "Control socket of the engine. (default: the configuration's [engine] socket, else "
                + "$XDG_RUNTIME_DIR/2virt/engine.sock)", valueName: "path"),
        completion: .file())
    var socket: String?

    /// The configuration named on the command line, absolute.
    var configurationPath: String? { configuration.map(Self.absolute) }

    /// The control socket to use; reads the configuration for it only when the command line names none.
    func socketPath() throws -> String {
        let paths = EnginePaths.current
        if let socket { return Self.absolute(socket) }
        if let file = configurationPath { return paths.socket(configured: try ConfiguredSocket.read(file: file)) }
        guard FileManager.default.fileExists(atPath: paths.configurationFile) else { return paths.socket() }
        return paths.socket(configured: try ConfiguredSocket.read(file: paths.configurationFile))
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

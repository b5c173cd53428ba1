import Foundation
import TerminalTestKit
import TestDirectory

/// What the built `2virt-guest` says of its own command line.
struct ParserDump: Decodable {
    struct Name: Decodable {
        var name: String
    }

    struct Argument: Decodable {
        var names: [Name]?
        var shouldDisplay: Bool
    }

    struct Command: Decodable {
        var commandName: String
        var discussion: String?
        var arguments: [Argument]?
        var subcommands: [Command]?

        /// Names of its options that users are told of, without those that every command has.
        var options: Set<String> {
            Set((arguments ?? []).filter(\.shouldDisplay).flatMap { $0.names ?? [] }.map(\.name))
                .subtracting(["h", "help", "version"])
        }
    }

    var command: Command

    static func read() async throws -> ParserDump {
        let output = try await Self.run(try BuiltProducts.path(of: "2virt-guest"), ["--experimental-dump-help"])
        return try JSONDecoder().decode(ParserDump.self, from: output.data)
    }

    /// Runs a program to its end.
    static func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, data: Data) {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/output"
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw CocoaError(.fileWriteUnknown) }
        let child = try Child(
            program, arguments, variables: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"], output: file.fileDescriptor,
            errors: file.fileDescriptor)
        let status = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: child.end()) }
        }
        try file.close()
        return (status, try Data(contentsOf: URL(filePath: path)))
    }
}

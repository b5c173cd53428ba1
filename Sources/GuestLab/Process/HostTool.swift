import Foundation

/// Programs of the host that run to completion.
enum HostTool {
    /// The absolute path of a program in PATH or a system directory (which an ordinary user's PATH omits), if any.
    static func path(of program: String) -> String? {
        if program.hasPrefix("/") { return isExecutableFile(program) ? program : nil }
        let search = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (search + ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"])
            .map { "\($0)/\(program)" }
            .first(where: isExecutableFile)
    }

    private static func isExecutableFile(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
            && FileManager.default.isExecutableFile(atPath: path)
    }

    /// Runs a program and returns what it printed.
    ///
    /// Throws ``LabError/toolFailed(tool:status:output:)`` unless it exits with 0. `onLine` sees every line.
    /// With `outputFile` standard output goes there and only errors are returned.
    @discardableResult
    static func run(
        _ program: String, _ arguments: [String], in directory: String? = nil, outputFile: String? = nil,
        onLine: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> String {
        guard let executable = path(of: program) else {
            throw LabError.toolFailed(tool: program, status: "is not installed", output: "")
        }
        let collector = LineCollector(onLine: onLine)
        var launch = ChildLaunch(executable: executable, arguments: arguments)
        launch.directory = directory
        launch.environment["LC_ALL"] = "C"
        launch.standardOutput = outputFile.map { .file($0) } ?? .reader
        launch.standardError = .reader
        let child = try await ChildProcess.start(launch) { collector.append($0) }
        let status = await withTaskCancellationHandler {
            await child.exit()
        } onCancel: {
            child.kill()
        }
        try Task.checkCancellation()
        let text = collector.finish()
        guard status == .exited(0) else {
            throw LabError.toolFailed(tool: program, status: status.description, output: lastLines(of: text))
        }
        return text
    }

    /// The last few lines of a program's output, enough to say why it failed.
    static func lastLines(of text: String, count: Int = 4) -> String {
        text.split(separator: "\n").suffix(count).joined(separator: "; ")
    }
}

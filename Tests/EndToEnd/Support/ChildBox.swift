import Foundation
import Synchronization

/// Holds a child process, which is reaped by Foundation.
final class ChildBox: Sendable {
    private let child = Mutex<Process?>(nil)

    func hold(_ process: sending Process) { child.withLock { $0 = process } }

    /// Starts a program with its output in files.
    static func start(
        _ program: String, _ arguments: [String], variables: [String: String], output: String, errors: String
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = variables
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try file(output)
        process.standardError = try file(errors)
        try process.run()
        return process
    }

    /// Its exit status; 128 and more tell of a signal.
    static func end(of process: Process) async -> Int32 {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                process.waitUntilExit()
                let base: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
                continuation.resume(returning: base + process.terminationStatus)
            }
        }
    }

    /// Opened for appending: a second engine goes on in the first one's log.
    private static func file(_ path: String) throws -> FileHandle {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LabEnvironment.Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

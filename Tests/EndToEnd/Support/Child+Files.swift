import Foundation
import TerminalTestKit

extension Child {
    /// Starts a program that appends its output to files: a second engine goes on in the first one's log.
    convenience init(
        _ program: String, _ arguments: [String], variables: [String: String], output: String, errors: String
    ) throws {
        let files = try [output, errors].map { path in
            let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw LabEnvironment.Failure(description: "\(path): \(String(cString: strerror(errno)))")
            }
            return descriptor
        }
        defer { files.forEach { close($0) } }
        try self.init(program, arguments, variables: variables, output: files[0], errors: files[1])
    }

    /// Waits without holding up anybody else.
    func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: self.end()) }
        }
    }
}

import Glibc
import GuestClientKit

/// A command's failure on its way to the exit status.
struct CommandFailure: Error, CustomStringConvertible {
    var status: Int32
    var description: String

    init(_ error: GuestError) {
        status = error.exitStatus
        description = error.description
    }
}

/// Runs `body`, turning its failure into one that carries the exit status.
func reportingStatus<T>(_ body: () throws(GuestError) -> T) throws(CommandFailure) -> T {
    do {
        return try body()
    } catch {
        throw CommandFailure(error)
    }
}

/// Unbuffered text to standard error.
enum StandardError {
    static func write(_ text: String) { StandardOutput.write(text, to: STDERR_FILENO) }
}

/// Unbuffered text, so that a waiting script sees each line at once.
enum StandardOutput {
    static func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // Nobody is left to tell when the reader has gone.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

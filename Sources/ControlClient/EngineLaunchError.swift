/// Why an engine could not be started in the background; each message names the log where there is one.
public enum EngineLaunchError: Error, Sendable, Equatable, CustomStringConvertible {
    case system(operation: String, message: String)
    /// It said why itself.
    case refused(reason: String, log: String)
    /// It ended without a word on the descriptor; `output` is the end of what it wrote to the log.
    case died(how: String, output: String, log: String)
    case silent(seconds: Int, pid: Int32, log: String)

    public var description: String {
        switch self {
        case .system(let operation, let message):
            return "cannot start an engine: \(operation): \(message)"
        case .refused(let reason, _):
            return "the engine does not start: \(reason)"
        case .died(let how, let output, let log):
            return output.isEmpty
                ? "the engine does not start: it \(how) and wrote nothing to \(log)"
                : "the engine does not start (it \(how), log \(log)):\n\(output)"
        case .silent(let seconds, let pid, let log):
            return "the engine (pid \(pid)) is not ready after \(seconds) s; see \(log), end it with: kill \(pid)"
        }
    }
}

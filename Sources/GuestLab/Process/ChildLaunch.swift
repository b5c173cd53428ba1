import Foundation

/// How a child process is started.
struct ChildLaunch: Sendable {
    /// Where one of the child's output streams goes.
    enum Output: Sendable {
        /// To the `onOutput` callback; both streams may share it.
        case reader
        /// To a file, truncated first.
        case file(String)
    }

    var executable: String
    var arguments: [String]
    var directory: String?
    var environment = ProcessInfo.processInfo.environment
    var standardOutput = Output.reader
    var standardError = Output.reader
    /// A group of its own, so that the operator's Ctrl-C does not reach it.
    var ownProcessGroup = false
    /// The kernel kills the child when this process dies, however it dies (`setpriv --pdeathsig`).
    var diesWithParent = true
}

import CTerminal
import Foundation

/// Swift's crash reporter asks questions on a terminal by default; a console that died must not sit there and wait.
enum CrashReports {
    private static let variable = "SWIFT_BACKTRACE"
    private static let settings = "interactive=no,color=no"

    /// Starts this program over with the reporter's settings in the environment, which it reads before main; whoever
    /// has set them already is left alone.
    static func restartWithPlainOnes() {
        guard getenv(variable) == nil else { return }
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        defer { arguments.forEach { free($0) } }
        // It returns only when it fails, and then the reports are less plain: no reason not to go on.
        ct_reexec(arguments, variable, settings)
    }
}

import ArgumentParser
import Foundation

/// A verb that shows the console: it blocks signals and owns the main thread.
protocol MainThreadVerb: ParsableCommand {
    /// Returns the exit code.
    func runOnMainThread() -> Int32
}

/// Where the process starts: the console gets the main thread to itself, every other verb runs as a task.
///
/// The main function is not async, so that the console can block its signals before there is a second thread.
@main
enum Main {
    static func main() {
        do {
            if let verb = try TwoVirt.parseAsRoot() as? any MainThreadVerb { exit(verb.runOnMainThread()) }
        } catch {
            end(with: error)
        }
        Task { await runVerb() }
        dispatchMain()
    }

    /// Parses again: a command is not `Sendable`, so the task makes its own.
    private static func runVerb() async -> Never {
        do {
            var command = try TwoVirt.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch {
            end(with: error)
        }
    }

    /// Prints what a parse or a run ended with and exits: 0 for help, 2 for wrong usage, 1 for a failure.
    private static func end(with error: any Error) -> Never {
        let code = TwoVirt.exitCode(for: error)
        let text = TwoVirt.fullMessage(for: error)
        if code == .success {
            print(text)
            exit(0)
        }
        if !text.isEmpty { StandardError.write(text) }
        exit(code == .validationFailure ? 2 : code.rawValue)
    }
}

import ArgumentParser
import CTerminal
import Foundation

/// `2virt`, or `2virt console`
struct ConsoleVerb: MainThreadVerb {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "The console: watch VMs and devices, plug and unplug. This is what 2virt does without a verb.")

    @OptionGroup var engine: EngineOptions
    @Option(help: ArgumentHelp("Theme, by name; t in the console tries them out.", valueName: "name"))
    var theme: String?
    @Flag(help: "Refuse everything that changes something.") var readOnly = false
    @Flag(help: "Leave the mouse to the terminal; M switches it in the console.") var noMouse = false

    /// Takes the main thread for as long as the console lives, and returns the exit code.
    func runOnMainThread() -> Int32 {
        CrashReports.restartWithPlainOnes()
        // Before there is a second thread: all of them inherit the mask.
        ct_block_signals()
        let session = ConsoleSession(theme: theme, readOnly: readOnly, mouse: !noMouse)
        do {
            let preparation = try session.prepare()
            let options = engine
            let socket = try MainThreadTask.run {
                let client = try await options.connect()
                client.close()
                return client.socket
            }
            return session.run(preparation, socket: socket)
        } catch let stop as MainThreadTask.Stopped {
            return 128 + stop.signal
        } catch {
            StandardError.write("2virt: \(error)")
            return 1
        }
    }
}

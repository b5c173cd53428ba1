import ArgumentParser
import CTerminal
import Foundation

/// `2virt demo`
struct DemoVerb: MainThreadVerb {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Boot a demo VM, offer it a demo device, and open the console.",
        discussion: """
            The guest is made of Debian packages, which are downloaded once and never installed. Everything that the \
            demo starts ends with it.
            """)

    @Option(help: ArgumentHelp("Theme, by name.", valueName: "name")) var theme: String?
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard engine.configuration == nil, engine.socket == nil else {
            throw ValidationError(
                "the demo has a configuration and an engine of its own: --config and --socket do not apply")
        }
    }

    func runOnMainThread() -> Int32 {
        CrashReports.restartWithPlainOnes()
        // Before there is a second thread: all of them inherit the mask.
        ct_block_signals()
        var session = ConsoleSession(theme: theme)
        do {
            let preparation = try session.prepare()
            let progress = ProgressLine()
            let demo = try MainThreadTask.run { try await Demo.start(progress) }
            session.firstSteps = demo.firstSteps
            let code = session.run(preparation, socket: demo.directory.socket)
            progress.show("ending the demo")
            let problems = try MainThreadTask.run { await demo.stop() }
            guard problems.isEmpty else {
                progress.finish("the demo is over")
                for problem in problems { StandardError.write("2virt: \(problem)") }
                return code == 0 ? 1 : code
            }
            progress.finish("the demo is over; nothing of it is left running")
            return code
        } catch let stop as MainThreadTask.Stopped {
            return 128 + stop.signal
        } catch {
            StandardError.write("2virt: \(error)")
            return 1
        }
    }
}

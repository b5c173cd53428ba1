import ArgumentParser
import CTerminal
import Console
import Foundation
import Terminal

/// `2virt`, or `2virt console`
struct ConsoleVerb: ParsableCommand {
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
        do {
            let choice = try TerminalChoice.ofThisProcess()
            let themes = ThemeStore.ofThisProcess
            let themeName = theme ?? themes.preferred
            let theme = try themes.load(themeName)
            let socket = try EngineStart(options: engine).wait()
            return ScreenActor.run { show(choice, theme, themeName, themes, socket) }
        } catch let stop as EngineStart.Stopped {
            return 128 + stop.signal
        } catch {
            StandardError.write("2virt: \(error)")
            return 1
        }
    }

    @ScreenActor
    private func show(
        _ choice: TerminalChoice, _ theme: Theme, _ themeName: String, _ themes: ThemeStore, _ socket: String
    ) -> Int32 {
        do {
            let screen = try Screen(choice: choice, theme: theme, mouse: !noMouse)
            let model = ConsoleModel(
                readOnly: readOnly, utcOffset: Clock.offsetFromUTC, themes: themes.names, theme: themeName)
            let application = ConsoleApplication(
                model: model, screen: screen, themes: themes, socket: socket, actor: OperatorName.current)
            let exit = screen.run(application)
            screen.close()
            if let note = choice.note { StandardError.write("2virt: \(note)") }
            return exit.code
        } catch {
            StandardError.write("2virt: \(error)")
            return 1
        }
    }
}

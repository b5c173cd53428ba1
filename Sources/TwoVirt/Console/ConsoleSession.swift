import CTerminal
import Console
import Foundation
import Terminal

/// One showing of the console on this terminal, from the first frame to the restored terminal.
struct ConsoleSession: Sendable {
    var theme: String?
    var readOnly = false
    var mouse = true
    /// Shown until the operator has plugged something.
    var firstSteps: String?

    /// What must be right before anything is started: the terminal and the theme.
    struct Preparation: Sendable {
        let choice: TerminalChoice
        let themes: ThemeStore
        let themeName: String
        let theme: Theme
    }

    func prepare() throws -> Preparation {
        let choice = try TerminalChoice.ofThisProcess()
        let themes = ThemeStore.ofThisProcess
        let themeName = theme ?? themes.preferred
        return Preparation(choice: choice, themes: themes, themeName: themeName, theme: try themes.load(themeName))
    }

    /// Takes the main thread for as long as the console lives, and returns the exit code.
    func run(_ preparation: Preparation, socket: String) -> Int32 {
        ScreenActor.run { show(preparation, socket) }
    }

    @ScreenActor
    private func show(_ preparation: Preparation, _ socket: String) -> Int32 {
        do {
            let screen = try Screen(choice: preparation.choice, theme: preparation.theme, mouse: mouse)
            let model = ConsoleModel(
                readOnly: readOnly, utcOffset: Clock.offsetFromUTC, themes: preparation.themes.names,
                theme: preparation.themeName, firstSteps: firstSteps, mouse: mouse)
            let application = ConsoleApplication(
                model: model, screen: screen, themes: preparation.themes, socket: socket, actor: OperatorName.current)
            let exit = screen.run(application)
            screen.close()
            if let note = preparation.choice.note { StandardError.write("2virt: \(note)") }
            return exit.code
        } catch {
            StandardError.write("2virt: \(error)")
            return 1
        }
    }
}

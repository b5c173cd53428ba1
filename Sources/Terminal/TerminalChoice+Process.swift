import CTerminal
import Foundation

extension TerminalChoice {
    /// The choice for this process; sets the locale of the C library.
    public static func ofThisProcess() throws(ScreenError) -> TerminalChoice {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { throw .notATerminal }
        let isUTF8 = ct_set_locale()
        return try TerminalChoice(environment: ProcessInfo.processInfo.environment, isUTF8: isUTF8) { name in
            switch ct_probe_terminal(name) {
            case CT_TERMINAL_USABLE: .usable
            case CT_TERMINAL_TOO_PLAIN: .tooPlain
            default: .unknown
            }
        }
    }
}

/// Why there can be no screen; each message ends with what to do.
public enum ScreenError: Error, Sendable, Equatable, CustomStringConvertible {
    case notATerminal
    /// `TERM` is not set, or empty.
    case noTerminalName
    /// The terminal cannot place the cursor, as `dumb`.
    case tooPlain(String)
    /// Not even the fallback is described here.
    case noDescription(String)
    case notStarted(String)

    public var description: String {
        let hint = "use the commands instead: 2virt vms, 2virt devices, 2virt plug (see 2virt --help)"
        return switch self {
        case .notATerminal: "the console needs a terminal on standard input and output; \(hint)"
        case .noTerminalName: "the console needs a terminal, but TERM is not set; set it, or \(hint)"
        case .tooPlain(let name): "the console cannot draw on TERM=\(name): it cannot place the cursor; \(hint)"
        case .noDescription(let name):
            "neither TERM=\(name) nor xterm-256color is in the terminfo database; install ncurses-base, or \(hint)"
        case .notStarted(let name): "ncurses does not start on TERM=\(name); \(hint)"
        }
    }
}

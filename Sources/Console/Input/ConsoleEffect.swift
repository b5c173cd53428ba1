import ControlProtocol

/// What the console asks its surroundings to do; the model itself does nothing.
public enum ConsoleEffect: Sendable, Equatable {
    /// Send to the engine; its answer comes back as `ConsoleInput.reply` with this id.
    case send(id: UInt64, Command)
    /// Replace this connection's subscription. Also sent again by the surroundings after a reconnect.
    case subscribe(Subscription)
    case quit
    /// Stop the process as ctrl-Z does elsewhere, and repaint when it is continued.
    case suspend
    /// Repaint every cell (ctrl-L).
    case repaint
    case bell
    /// To the clipboard (OSC 52) and a file.
    case copy(String)
    /// Show this theme from now on; answered by `ConsoleInput.theme`.
    case loadTheme(String)
    case mouseCapture(Bool)
}

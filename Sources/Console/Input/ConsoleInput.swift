import ControlProtocol

/// Everything that can change what the console shows.
public enum ConsoleInput: Sendable, Equatable {
    case key(Key)
    case resize(columns: Int, rows: Int)
    case snapshot(Snapshot)
    case event(Event)
    /// A batch, oldest first, as `Command.events` answers it.
    case events([Event])
    case traffic(TrafficView)
    /// The answer to the `send` effect of this id.
    case reply(id: UInt64, Outcome)
    case connection(ConnectionState)
    /// The clock, seconds since 1970-01-01 UTC; at least once a second while the console is shown.
    case tick(Double)
    /// A theme asked for by `loadTheme`, or why it could not be had.
    case theme(name: String, ThemeResult)
}

/// How the console stands with the engine.
public enum ConnectionState: Sendable, Equatable {
    case connecting
    case connected
    /// With the reason, and when the next attempt is made (seconds since 1970-01-01 UTC) if there is one.
    case lost(reason: String, retryAt: Double?)
}

/// What came of loading a theme.
public enum ThemeResult: Sendable, Equatable {
    case loaded
    case failed(String)
}

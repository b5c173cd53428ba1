/// Where engine, console and command line keep their files, by the XDG Base Directory Specification.
///
/// Pure: everything that it needs to know of the process is given to `init`.
public struct EnginePaths: Sendable, Equatable {
    /// Directory of the control socket; private to the user.
    public let runtimeDirectory: String
    /// `…/2virt` under `$XDG_CONFIG_HOME`.
    public let configurationDirectory: String
    /// `…/2virt` under `$XDG_STATE_HOME`.
    public let stateDirectory: String

    /// - Parameters:
    ///   - home: the user's home directory, in case `HOME` is not set.
    ///   - isDirectory: whether a path names a directory; asked of `/run/user/<userID>` only.
    public init(environment: [String: String], userID: UInt32, home: String, isDirectory: (String) -> Bool) {
        // "All paths set in these environment variables must be absolute. […] If not, consider the path invalid and
        // ignore it."
        func absolute(_ variable: String) -> String? {
            guard let value = environment[variable], value.hasPrefix("/") else { return nil }
            return value == "/" ? value : String(value.reversed().drop { $0 == "/" }.reversed())
        }
        let home = absolute("HOME") ?? home
        configurationDirectory = (absolute("XDG_CONFIG_HOME") ?? home + "/.config") + "/2virt"
        stateDirectory = (absolute("XDG_STATE_HOME") ?? home + "/.local/state") + "/2virt"
        if let runtime = absolute("XDG_RUNTIME_DIR") {
            runtimeDirectory = runtime + "/2virt"
        } else if isDirectory("/run/user/\(userID)") {
            runtimeDirectory = "/run/user/\(userID)/2virt"
        } else {
            runtimeDirectory = (absolute("TMPDIR") ?? "/tmp") + "/2virt-\(userID)"
        }
    }

    /// The control socket: the `--socket` option, else the configuration's `[engine] socket`, else the default.
    public func socket(option: String? = nil, configured: String? = nil) -> String {
        option ?? configured ?? runtimeDirectory + "/engine.sock"
    }

    /// The configuration file that is read when no other is named.
    public var configurationFile: String { configurationDirectory + "/config.toml" }
    /// What an engine started in the background writes to its standard error.
    public var engineLog: String { stateDirectory + "/engine.log" }
}

/// Why a control socket's path is not used; each message names the path and the next step.
public enum ControlSocketError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `sockaddr_un` has room for 107 bytes.
    case pathTooLong(String, bytes: Int)
    case notAbsolute(String)
    case missing(directory: String)
    case notADirectory(String)
    /// Somebody else owns the directory and could put another engine there.
    case foreignDirectory(String, owner: UInt32, user: UInt32)
    /// Group or others may write to the directory.
    case openDirectory(String, mode: UInt32)
    case foreignSocket(String, owner: UInt32, user: UInt32)
    case notASocket(String)
    case system(path: String, operation: String, code: Int32, message: String)

    public var description: String {
        switch self {
        case .pathTooLong(let path, let bytes):
            "control socket \(path): the path has \(bytes) bytes, a UNIX socket takes 107; "
                + "name a shorter one with --socket"
        case .notAbsolute(let path):
            "control socket '\(path)': the path is not absolute; name it from / on"
        case .missing(let directory):
            "control socket directory \(directory) does not exist"
        case .notADirectory(let path):
            "control socket directory \(path) is not a directory; remove it or name another socket with --socket"
        case .foreignDirectory(let path, let owner, let user):
            "control socket directory \(path) belongs to user \(owner), not to \(user); "
                + "it is not used, name another socket with --socket"
        case .openDirectory(let path, let mode):
            "control socket directory \(path) can be written by others (mode \(String(mode, radix: 8))); "
                + "run chmod go-w on it or name another socket with --socket"
        case .foreignSocket(let path, let owner, let user):
            "control socket \(path) belongs to user \(owner), not to \(user); it is not used"
        case .notASocket(let path):
            "control socket \(path) is not a socket; remove it or name another one with --socket"
        case .system(let path, let operation, _, let message):
            "control socket \(path): \(operation): \(message)"
        }
    }
}

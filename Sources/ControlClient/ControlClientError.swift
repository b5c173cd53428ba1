import ControlProtocol
import ControlSocket

/// Why an engine cannot be talked to; each message names the socket.
public enum ControlClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nothing listens there: no socket, or nobody behind it.
    case nobodyListening(socket: String)
    case refusedPath(ControlSocketError)
    case system(socket: String, message: String)
    /// The process behind the socket belongs to another user.
    case foreignPeer(socket: String, user: UInt32)
    case noGreeting(socket: String, seconds: Int)
    case notAnEngine(socket: String, found: String)
    case version(socket: String, engine: Int, pid: Int32)
    /// The engine broke the protocol; the connection is closed.
    case violation(socket: String, detail: String)
    case closed(socket: String)
    /// This side ended the connection.
    case cancelled(socket: String)

    public var description: String {
        switch self {
        case .nobodyListening(let socket):
            "no engine listens on \(socket)"
        case .refusedPath(let error):
            error.description
        case .system(let socket, let message):
            "engine socket \(socket): \(message)"
        case .foreignPeer(let socket, let user):
            "engine socket \(socket) is served by a process of user \(user); it is not used"
        case .noGreeting(let socket, let seconds):
            "engine socket \(socket) took the connection but did not greet within \(seconds) s; the engine may hang"
        case .notAnEngine(let socket, let found):
            "engine socket \(socket) is not a 2virt engine: \(found)"
        case .version(let socket, let engine, let pid):
            "the engine on \(socket) (pid \(pid)) speaks control protocol \(engine), this 2virt "
                + "speaks \(ControlProtocol.version); restart the engine with this 2virt"
        case .violation(let socket, let detail):
            "the engine on \(socket) broke the control protocol: \(detail)"
        case .closed(let socket):
            "the engine on \(socket) closed the connection"
        case .cancelled(let socket):
            "the connection to \(socket) was ended"
        }
    }

    /// Whether starting an engine could help.
    public var isNobodyListening: Bool {
        switch self {
        case .nobodyListening, .refusedPath(.missing): true
        default: false
        }
    }
}

/// Why a running pipe ended.
public enum PipeEnd: Equatable, Sendable, CustomStringConvertible {
    case stopped
    /// The HTTP/2 side closed its socket.
    case clientClosed
    case deviceGone
    case failed(String)

    public var description: String {
        switch self {
        case .stopped: "stopped"
        case .clientClosed: "the HTTP/2 session was closed"
        case .deviceGone: "the device was unplugged"
        case .failed(let reason): reason
        }
    }
}

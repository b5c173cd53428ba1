/// Why a QMP exchange failed; every message names the socket.
public enum QMPError: Error, Sendable, Equatable, CustomStringConvertible {
    case badPath(socket: String, reason: String)
    case connectFailed(socket: String, reason: String)
    /// The listen queue is full: QEMU serves another client and does not accept.
    case busy(socket: String)
    case noGreeting(socket: String, seconds: Double)
    case malformed(socket: String, detail: String)
    case lineTooLong(socket: String, limit: Int)
    case tooManyOutstanding(socket: String, limit: Int)
    case timeout(socket: String, command: String, seconds: Double)
    case closed(socket: String, during: String?)
    /// QEMU answered with an error: `text` is QEMU's own.
    case refused(socket: String, command: String, errorClass: String, text: String)

    public var description: String {
        switch self {
        case .badPath(let socket, let reason): "QMP socket \(socket): \(reason)"
        case .connectFailed(let socket, let reason): "QMP socket \(socket): cannot connect: \(reason)"
        case .busy(let socket): "QMP socket \(socket) is held by another client: QEMU accepts one at a time"
        case .noGreeting(let socket, let seconds):
            "QMP socket \(socket): no greeting within \(Self.text(seconds)) s: held by another client, or not QMP"
        case .malformed(let socket, let detail): "QMP socket \(socket) does not speak QMP: \(detail)"
        case .lineTooLong(let socket, let limit): "QMP socket \(socket) sent a line longer than \(limit) bytes"
        case .tooManyOutstanding(let socket, let limit):
            "QMP socket \(socket): \(limit) commands are unanswered: QEMU does not answer"
        case .timeout(let socket, let command, let seconds):
            "QMP socket \(socket): \(command) was not answered within \(Self.text(seconds)) s"
        case .closed(let socket, let during?): "QMP socket \(socket) was closed during \(during)"
        case .closed(let socket, nil): "QMP socket \(socket) was closed"
        case .refused(let socket, let command, _, let text): "QMP socket \(socket): \(command) refused: \(text)"
        }
    }

    /// QEMU's own error text, when QEMU answered with an error.
    public var refusal: String? { if case .refused(_, _, _, let text) = self { text } else { nil } }

    /// Seconds without a needless fraction.
    private static func text(_ seconds: Double) -> String {
        Int(exactly: seconds).map(String.init) ?? String(seconds)
    }
}

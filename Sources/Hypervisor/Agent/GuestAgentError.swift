/// Why the guest agent did not do what it was asked; every message is for an operator.
public enum GuestAgentError: Error, Sendable, Equatable, CustomStringConvertible {
    case connectFailed(socket: String, reason: String)
    /// Nothing answers: no agent runs in the guest, or another client holds its socket.
    case silent(seconds: Double)
    /// It does not speak its protocol.
    case malformed(detail: String)
    /// It answered with an error; `missing` when there is no such program in the guest.
    case refused(command: String, text: String)
    /// The program did not end in time.
    case running(program: String, seconds: Double)

    public var description: String {
        switch self {
        case .connectFailed(let socket, let reason): "guest agent socket \(socket): \(reason)"
        case .silent(let seconds):
            "the guest agent does not answer within \(Int(exactly: seconds.rounded()) ?? 0) s: it does not run in the guest, or another client holds it"
        case .malformed(let detail): "the guest agent does not speak its protocol: \(detail)"
        case .refused(let command, let text): "the guest agent refused \(command): \(text)"
        case .running(let program, let seconds):
            "\(program) in the guest did not end within \(Int(exactly: seconds.rounded()) ?? 0) s"
        }
    }

    /// Whether the guest has no such program: the agent says so only in words (glib's, in English).
    public var isMissingProgram: Bool {
        if case .refused("guest-exec", let text) = self { text.contains("No such file") } else { false }
    }
}

/// How a program in the guest ended.
public struct GuestProgramResult: Sendable, Equatable {
    /// Exit code; nil when a signal ended it.
    public var exitCode: Int64?
    /// The end of what it wrote, standard output first, made printable.
    public var output: String

    public init(exitCode: Int64?, output: String) {
        self.exitCode = exitCode
        self.output = output
    }

    public var isSuccess: Bool { exitCode == 0 }
}

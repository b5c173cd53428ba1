import Foundation

/// What an engine started in the background tells its starter over the inherited descriptor of `--ready-fd`: one line,
/// then the descriptor is closed. End of input without a line means that it died; its log says why.
public enum EngineReadiness: Sendable, Equatable {
    /// It listens on its control socket.
    case ready
    /// It will not; one or more lines for the operator.
    case failed(String)

    /// The bytes on the descriptor.
    public var text: String {
        switch self {
        case .ready: "ready\n"
        case .failed(let reason): "failed " + reason + "\n"
        }
    }

    /// What a starter has read until the end; nil when the engine said nothing.
    public init?(text: String) {
        if text == "ready\n" {
            self = .ready
        } else if text.hasPrefix("failed ") {
            self = .failed(String(text.dropFirst("failed ".count)).trimmingCharacters(in: .newlines))
        } else {
            return nil
        }
    }

    /// Tells the starter and closes the descriptor. A starter that has gone is no error.
    public func report(on descriptor: Int32) {
        // A pipe without reader must not kill the engine.
        let previous = signal(SIGPIPE, SIG_IGN)
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        signal(SIGPIPE, previous)
    }
}

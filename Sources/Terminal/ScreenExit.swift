/// Why a screen's loop has ended.
public enum ScreenExit: Sendable, Equatable {
    /// The application asked for it.
    case finished
    case signal(Int32)
    /// The terminal has gone: hung up, closed.
    case inputGone

    /// The process's exit code: 128 and the signal's number, as a shell reports it.
    public var code: Int32 {
        switch self {
        case .finished: 0
        case .signal(let number): 128 + number
        case .inputGone: 128 + 1
        }
    }
}

import Foundation
import Synchronization

/// How far a long preparation has come: one line that is rewritten on a terminal, one line a step elsewhere.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let last = Mutex("")

    /// - Parameter fraction: 0…1, shown as percent when given.
    func show(_ text: String, fraction: Double? = nil) {
        let percent = fraction.map { "\(Int(($0 * 100).rounded())) %".leftPadded(to: 5) + "  " } ?? ""
        last.withLock { last in
            if isTerminal {
                FileHandle.standardError.write(Data("\r\u{1B}[K\(percent)\(text)".utf8))
            } else if text != last {
                FileHandle.standardError.write(Data("\(percent)\(text)\n".utf8))
            }
            last = text
        }
    }

    /// Leaves the line as it is and goes to the next.
    func finish(_ text: String) {
        show(text)
        if isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

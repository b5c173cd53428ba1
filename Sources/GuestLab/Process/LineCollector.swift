import Synchronization

/// Gathers a child's output as text, bounded, and hands complete lines on while they come.
final class LineCollector: Sendable {
    private struct State {
        var text = ""
        var partial: [UInt8] = []
    }

    /// Output beyond this many bytes is passed on by line but not kept.
    private static let keptBytes = 4 << 20
    private static let longestLine = 64 << 10

    private let state = Mutex(State())
    private let onLine: @Sendable (String) -> Void

    init(onLine: @escaping @Sendable (String) -> Void) {
        self.onLine = onLine
    }

    func append(_ bytes: [UInt8]) {
        let lines = state.withLock { state in
            var lines: [String] = []
            for byte in bytes {
                if byte == 0x0A || state.partial.count >= Self.longestLine {
                    lines.append(String(decoding: state.partial, as: UTF8.self))
                    state.partial.removeAll(keepingCapacity: true)
                }
                if byte != 0x0A { state.partial.append(byte) }
            }
            for line in lines where state.text.utf8.count < Self.keptBytes { state.text += line + "\n" }
            return lines
        }
        lines.forEach(onLine)
    }

    /// Everything kept, with a last line that had no newline.
    func finish() -> String {
        state.withLock { $0.text + String(decoding: $0.partial, as: UTF8.self) }
    }
}

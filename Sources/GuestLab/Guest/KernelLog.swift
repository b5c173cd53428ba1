import Synchronization

/// A guest's serial console as lines, with waiters for lines to come.
final class KernelLog: Sendable {
    typealias Predicate = @Sendable (String) -> Bool

    private struct State {
        /// The newest lines, the first of which has the number `dropped`.
        var lines: [String] = []
        var dropped = 0
        var partial: [UInt8] = []
        var waiters: [Int: (matches: Predicate, found: OneShot<String>)] = [:]
        var nextWaiter = 0
        var end: LabError?
    }

    private static let longestLine = 4096
    private static let keptLines = 50_000

    private let state = Mutex(State())

    var mark: KernelLogMark { state.withLock { KernelLogMark(line: $0.dropped + $0.lines.count) } }

    var lastLine: String { state.withLock { $0.lines.last ?? "" } }

    func lines(since mark: KernelLogMark = .start) -> [String] {
        state.withLock { Array($0.lines.dropFirst(max(0, mark.line - $0.dropped))) }
    }

    func append(_ bytes: [UInt8]) {
        let found = state.withLock { state in
            var found: [(OneShot<String>, String)] = []
            for byte in bytes {
                if byte == 0x0A || state.partial.count >= Self.longestLine {
                    found += endLine(&state)
                }
                if byte != 0x0A, byte != 0x0D { state.partial.append(byte) }
            }
            return found
        }
        for (waiter, line) in found { waiter.succeed(line) }
    }

    /// Fails everyone who waits, now and later: nothing will be printed any more.
    func end(_ error: LabError) {
        let waiters = state.withLock { state in
            state.end = error
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.found)
        }
        waiters.forEach { $0.fail(error) }
    }

    /// The first line at or after `mark` that matches.
    func wait(since mark: KernelLogMark, timeout: Duration, for what: String, matching matches: @escaping Predicate)
        async throws -> String
    {
        let found = OneShot<String>()
        let id: Int = state.withLock { state in
            if let line = state.lines.dropFirst(max(0, mark.line - state.dropped)).first(where: matches) {
                found.succeed(line)
            } else if let end = state.end {
                found.fail(end)
            }
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = (matches, found)
            return state.nextWaiter
        }
        defer { state.withLock { $0.waiters[id] = nil } }
        return try await found.value(within: timeout) { [weak self] in
            LabError.timeout(
                waitingFor: "kernel log line \(what)", after: timeout, detail: self?.lastLine ?? "")
        }
    }

    private func endLine(_ state: inout State) -> [(OneShot<String>, String)] {
        let line = String(decoding: state.partial, as: UTF8.self)
        state.partial.removeAll(keepingCapacity: true)
        state.lines.append(line)
        if state.lines.count > Self.keptLines {
            state.dropped += state.lines.count - Self.keptLines / 2
            state.lines.removeFirst(state.lines.count - Self.keptLines / 2)
        }
        let matching = state.waiters.filter { $0.value.matches(line) }
        for id in matching.keys { state.waiters[id] = nil }
        return matching.values.map { ($0.found, line) }
    }
}

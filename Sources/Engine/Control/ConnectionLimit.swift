import Synchronization

/// Counts what may exist only so many times.
final class ConnectionLimit: Sendable {
    private let left: Mutex<Int>

    init(_ maximum: Int) { left = Mutex(maximum) }

    /// - Returns: false when the maximum is reached.
    func take() -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    func give() { left.withLock { $0 += 1 } }
}

import DequeModule
import Synchronization

/// What waits to be sent to one subscriber: the newest snapshot and the newest events, however slowly it reads.
final class Outbox: Sendable {
    /// Events that wait at most; then the oldest is lost, which its reader sees in the sequence.
    static let maximumEvents = 1024

    private struct Waiting {
        var snapshot: SharedLine?
        var events: Deque<SharedLine> = []
    }

    /// Says "look again"; ends with the subscription.
    let wake = ChangeSignal()
    private let waiting = Mutex(Waiting())

    func replaceSnapshot(_ line: SharedLine) {
        waiting.withLock { $0.snapshot = line }
        wake.input.yield()
    }

    func append(_ line: SharedLine) {
        waiting.withLock {
            if $0.events.count >= Self.maximumEvents { $0.events.removeFirst() }
            $0.events.append(line)
        }
        wake.input.yield()
    }

    /// The next line to send: events first, in order; nil when there is nothing more.
    func next() -> SharedLine? {
        waiting.withLock { waiting in
            if let event = waiting.events.popFirst() { return event }
            defer { waiting.snapshot = nil }
            return waiting.snapshot
        }
    }

    func finish() { wake.input.finish() }
}

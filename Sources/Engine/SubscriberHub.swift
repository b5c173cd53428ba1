import ControlProtocol

/// Who wants to be told, and of what.
struct SubscriberHub {
    struct Subscriber {
        var subscription: Subscription
        let output: AsyncStream<Push>.Continuation
    }

    private(set) var subscribers: [UInt64: Subscriber] = [:]
    private var nextID: UInt64 = 1

    /// A stream that keeps the newest pushes when its reader is slow; snapshots replace each other anyway.
    mutating func add() -> (id: UInt64, stream: AsyncStream<Push>) {
        let (stream, output) = AsyncStream<Push>.makeStream(bufferingPolicy: .bufferingNewest(256))
        let id = nextID
        nextID += 1
        subscribers[id] = Subscriber(subscription: Subscription(), output: output)
        return (id, stream)
    }

    mutating func set(_ subscription: Subscription, for id: UInt64) { subscribers[id]?.subscription = subscription }

    mutating func remove(_ id: UInt64) { subscribers.removeValue(forKey: id)?.output.finish() }

    var wantsSnapshots: Bool { subscribers.values.contains { $0.subscription.snapshots } }

    func send(_ snapshot: Snapshot) {
        for subscriber in subscribers.values where subscriber.subscription.snapshots {
            subscriber.output.yield(.snapshot(snapshot))
        }
    }

    func send(_ event: Event) {
        for subscriber in subscribers.values where subscriber.subscription.events {
            subscriber.output.yield(.event(event))
        }
    }

    mutating func finish() {
        for subscriber in subscribers.values { subscriber.output.finish() }
        subscribers = [:]
    }
}

import ControlProtocol

/// Who wants to be told, and of what.
struct SubscriberHub {
    private(set) var subscribers: [UInt64: (subscription: Subscription, outbox: Outbox)] = [:]
    private var nextID: UInt64 = 1

    mutating func add() -> (id: UInt64, outbox: Outbox) {
        let outbox = Outbox()
        let id = nextID
        nextID += 1
        subscribers[id] = (Subscription(), outbox)
        return (id, outbox)
    }

    mutating func set(_ subscription: Subscription, for id: UInt64) { subscribers[id]?.subscription = subscription }

    mutating func remove(_ id: UInt64) { subscribers.removeValue(forKey: id)?.outbox.finish() }

    var wantsSnapshots: Bool { subscribers.values.contains { $0.subscription.snapshots } }

    func send(_ snapshot: Snapshot) {
        let line = SharedLine(.push(.snapshot(snapshot)))
        for subscriber in subscribers.values where subscriber.subscription.snapshots {
            subscriber.outbox.replaceSnapshot(line)
        }
    }

    func send(_ event: Event) {
        let line = SharedLine(.push(.event(event)))
        for subscriber in subscribers.values where subscriber.subscription.events { subscriber.outbox.append(line) }
    }

    mutating func finish() {
        for subscriber in subscribers.values { subscriber.outbox.finish() }
        subscribers = [:]
    }
}

import NIOCore
import USBCore
import USBDevice
import USBRedirection

/// Fulfils promises when a transfer of interest goes by. On the event loop.
final class WatchingTap: TransferTap {
    enum Seen {
        case submitted(Transfer)
        case completed(TransferCompletion)
    }

    private let loop: any EventLoop
    private var history: [Seen] = []
    private var waiting: [(accepts: (Seen) -> Bool, promise: EventLoopPromise<Void>)] = []

    init(_ loop: any EventLoop) { self.loop = loop }

    func submitted(_ transfer: Transfer) { note(.submitted(transfer)) }
    func completed(_ completion: TransferCompletion) { note(.completed(completion)) }

    /// Succeeds for what has been or will be seen; fails after 20 seconds.
    func wait(_ accepts: @escaping (Seen) -> Bool) -> EventLoopFuture<Void> {
        if history.contains(where: accepts) { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        waiting.append((accepts, promise))
        loop.scheduleTask(in: .seconds(20)) { promise.fail(WatchTimeout()) }
        return promise.futureResult
    }

    private func note(_ seen: Seen) {
        history.append(seen)
        waiting.removeAll {
            guard $0.accepts(seen) else { return false }
            $0.promise.succeed()
            return true
        }
    }
}

/// What was waited for has not come.
struct WatchTimeout: Error {}

/// Events of a session, to be awaited in order. Appended on the event loop.
final class EventLog: Sendable {
    private let state: NIOLoopBoundBox<State>
    private let loop: any EventLoop

    private struct State {
        var all: [RedirectionEvent] = []
        var waiting: [(accepts: (RedirectionEvent) -> Bool, promise: EventLoopPromise<RedirectionEvent>)] = []
    }

    init(_ loop: any EventLoop) {
        self.loop = loop
        state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: loop)
    }

    func append(_ event: RedirectionEvent) {
        state.value.all.append(event)
        state.value.waiting.removeAll {
            guard $0.accepts(event) else { return false }
            $0.promise.succeed(event)
            return true
        }
    }

    var all: [RedirectionEvent] {
        get async throws { try await loop.submit { [state] in state.value.all }.get() }
    }

    /// The first event, past or to come, that `accepts` takes; fails after 20 seconds.
    @discardableResult
    func first(where accepts: @escaping @Sendable (RedirectionEvent) -> Bool) async throws -> RedirectionEvent {
        try await loop.flatSubmit { [state, loop] in
            if let past = state.value.all.first(where: accepts) { return loop.makeSucceededFuture(past) }
            let promise = loop.makePromise(of: RedirectionEvent.self)
            state.value.waiting.append((accepts, promise))
            loop.scheduleTask(in: .seconds(20)) { promise.fail(WatchTimeout()) }
            return promise.futureResult
        }.get()
    }
}

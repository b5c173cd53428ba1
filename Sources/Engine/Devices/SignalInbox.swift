import Synchronization

/// The engine's inbox of device signals: bounded for each device, so that one noisy guest loses its own noise only.
final class SignalInbox: Sendable {
    /// Signals of one device that wait at most; what is lost first says `DeviceSignal.Kind.dispensability`.
    static let limit = 64

    /// Says "look again"; many in a row are one.
    let wake = ChangeSignal()
    private let waiting = Mutex<[String: [DeviceSignal]]>([:])

    func post(_ signal: DeviceSignal) {
        waiting.withLock { waiting in
            var signals = waiting[signal.device] ?? []
            signals.append(signal)
            if signals.count > Self.limit { Self.drop(&signals) }
            waiting[signal.device] = signals
        }
        wake.input.yield()
    }

    /// Everything that waits, each device's in order.
    func drain() -> [DeviceSignal] {
        waiting.withLock { waiting in
            defer { waiting = [:] }
            return waiting.sorted { $0.key < $1.key }.flatMap(\.value)
        }
    }

    /// Forgets the oldest of the least important; the newest of each rank stays.
    private static func drop(_ signals: inout [DeviceSignal]) {
        for rank in 0...2 {
            let positions = signals.indices.filter { signals[$0].kind.dispensability == rank }
            if positions.count > 1 {
                signals.remove(at: positions[0])
                return
            }
        }
        signals.removeFirst()
    }
}

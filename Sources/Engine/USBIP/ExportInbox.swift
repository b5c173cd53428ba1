import Synchronization

/// What the exporter and the guests that watch tell the engine, besides what concerns one device only.
enum ExportSignal: Sendable {
    /// Somebody was turned away.
    case refused(peer: String, reason: String)
    case watchOpened(WatchLink, guest: String, peer: String)
    case watchSaid(UInt64, WatchReport)
    case watchClosed(UInt64, reason: String)
}

/// The engine's inbox of export signals: bounded for refusals and for each guest, so that none can flood it.
final class ExportInbox: Sendable {
    /// Refusals that wait at most; the oldest are only counted.
    static let maximumRefusals = 32
    /// Reports of one guest that wait at most; one that says more is cut off.
    static let maximumReports = 32

    private struct Waiting {
        var signals: [ExportSignal] = []
        var refusals = 0
        var lostRefusals: UInt64 = 0
        var reports: [UInt64: Int] = [:]
        var nextLink: UInt64 = 1
    }

    let wake = ChangeSignal()
    private let waiting = Mutex(Waiting())

    /// A number for a new watch channel.
    func nextLink() -> UInt64 {
        waiting.withLock { waiting in
            defer { waiting.nextLink += 1 }
            return waiting.nextLink
        }
    }

    /// - Returns: false when this guest's reports are more than anybody takes: it is to be cut off.
    func post(_ signal: ExportSignal) -> Bool {
        let isTaken = waiting.withLock { waiting in
            switch signal {
            case .refused:
                guard waiting.refusals < Self.maximumRefusals else {
                    waiting.lostRefusals += 1
                    return true
                }
                waiting.refusals += 1
            case .watchSaid(let link, _):
                guard waiting.reports[link, default: 0] < Self.maximumReports else { return false }
                waiting.reports[link, default: 0] += 1
            case .watchOpened, .watchClosed: break
            }
            waiting.signals.append(signal)
            return true
        }
        wake.input.yield()
        return isTaken
    }

    /// Everything that waits, in order, and how many refusals were not kept.
    func drain() -> (signals: [ExportSignal], lostRefusals: UInt64) {
        waiting.withLock { waiting in
            defer {
                waiting.signals = []
                waiting.refusals = 0
                waiting.lostRefusals = 0
                waiting.reports = [:]
            }
            return (waiting.signals, waiting.lostRefusals)
        }
    }
}

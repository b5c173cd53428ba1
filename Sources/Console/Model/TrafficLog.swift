import ControlProtocol

/// What arrived of the subscribed traffic: the newest view and its transfers, the oldest forgotten.
struct TrafficLog: Sendable, Equatable {
    static let limit = 2000

    var selector: TrafficSelector?
    private(set) var view: TrafficView?
    /// The console's clock when it came; nothing comes while nothing moves.
    private(set) var time = 0.0
    /// Oldest first.
    private(set) var transfers: [TransferRow] = []

    init(selector: TrafficSelector? = nil) {
        self.selector = selector
    }

    /// Takes a view of the subscribed object; one of another is late and ignored.
    mutating func take(_ new: TrafficView, now: Double) {
        guard let selector, new.device == selector.device, new.interface == selector.interface else { return }
        // A recreated device numbers its transfers from the start again.
        if let view, new.ringDropped < view.ringDropped { transfers = [] }
        let last = transfers.last?.sequence
        transfers += new.transfers.filter { row in last.map { row.sequence > $0 } ?? true }
        if transfers.count > Self.limit { transfers.removeFirst(transfers.count - Self.limit) }
        time = now
        view = new
        view?.transfers = []
    }

    /// The samples up to `now`: what has not been told since the last view was nothing.
    func samples(now: Double) -> [RateSample] {
        guard let view else { return [] }
        let silent = now - time - 1
        guard silent > 0, view.sampleSeconds > 0 else { return view.samples }
        let missing = Format.whole(silent / view.sampleSeconds, limit: 480)
        return view.samples + Array(repeating: RateSample(bytesIn: 0, bytesOut: 0, transfers: 0), count: missing)
    }
}

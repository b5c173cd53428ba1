import ControlProtocol

/// What arrived of the subscribed traffic: the newest view and its transfers, the oldest forgotten.
struct TrafficLog: Sendable, Equatable {
    static let limit = 2000

    var selector: TrafficSelector?
    private(set) var view: TrafficView?
    /// Oldest first.
    private(set) var transfers: [TransferRow] = []

    init(selector: TrafficSelector? = nil) {
        self.selector = selector
    }

    /// Takes a view of the subscribed object; one of another is late and ignored.
    mutating func take(_ new: TrafficView) {
        guard let selector, new.device == selector.device, new.interface == selector.interface else { return }
        // A recreated device numbers its transfers from the start again.
        if let view, new.ringDropped < view.ringDropped { transfers = [] }
        let last = transfers.last?.sequence
        transfers += new.transfers.filter { row in last.map { row.sequence > $0 } ?? true }
        if transfers.count > Self.limit { transfers.removeFirst(transfers.count - Self.limit) }
        view = new
        view?.transfers = []
    }
}

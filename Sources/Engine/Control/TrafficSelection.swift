import ControlProtocol

/// What a connection wants to see of the traffic, and what it has seen.
actor TrafficSelection {
    private var selector: TrafficSelector?
    private var last: TrafficView?
    private var after: UInt64 = 0

    func select(_ wanted: TrafficSelector?) {
        guard wanted != selector else { return }
        selector = wanted
        last = nil
        after = 0
    }

    /// The view to send now; nil when nothing is selected or nothing has moved since the last.
    func next(from engine: Engine) async -> TrafficView? {
        guard let asked = selector, let view = await engine.traffic(asked, after: after), asked == selector,
            view != last
        else { return nil }
        after = view.transfers.last?.sequence ?? after
        last = view
        return view
    }
}

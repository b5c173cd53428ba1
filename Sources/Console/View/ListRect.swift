/// Where the scrolled rows of each pane are; drawing, scrolling and the mouse agree on it.
extension ConsoleModel {
    func listRect(_ pane: Pane) -> Rect {
        guard let inside = layout.inside(pane) else { return Rect(0, 0, 0, 0) }
        switch pane {
        case .vms, .devices:
            let header = tier.isTree ? 0 : 1
            let footer = tier.isBoxed && inside.height > 4 ? 1 : 0
            return Rect(inside.column, inside.row + header, inside.width, inside.height - header - footer)
        case .traffic: return TrafficLayout(inside, hasDetail: layout.detail == nil, tier: tier).list
        case .events: return inside
        }
    }
}

/// The parts of the traffic pane, from top to bottom.
struct TrafficLayout: Sendable, Equatable {
    var facts: Rect
    var rateIn: Rect
    var graphIn: Rect
    var rateOut: Rect
    var graphOut: Rect
    var header: Rect
    var list: Rect
    /// Title rule and lines of the selected transfer.
    var rule: Rect
    var detail: Rect
    var footer: Rect

    /// Cuts up a pane: the list gets most, graphs and detail what their use is worth.
    init(_ inside: Rect, hasDetail: Bool, tier: Tier) {
        var rest = inside
        func top(_ count: Int) -> Rect {
            let (taken, remains) = rest.splitTop(count)
            rest = remains
            return taken
        }
        let height = inside.height
        let small = tier <= .small
        facts = top(height >= 18 ? 1 : 0)
        let graph = height >= 40 ? 6 : height >= 28 ? 4 : height >= 18 ? 2 : height >= 12 && !small ? 2 : 0
        let separate = height >= 18
        rateIn = top(height >= 5 ? 1 : 0)
        graphIn = top(graph)
        rateOut = top(separate ? 1 : 0)
        graphOut = top(separate ? graph : 0)
        header = top(height >= 7 ? 1 : 0)
        let footerRows = height >= 20 ? 1 : 0
        let detailRows = hasDetail && height >= 11 ? min(10, max(3, rest.height * 2 / 5)) : 0
        let ruleRows = detailRows > 0 ? 1 : 0
        list = top(rest.height - footerRows - detailRows - ruleRows)
        rule = top(ruleRows)
        detail = top(detailRows)
        footer = top(footerRows)
    }
}

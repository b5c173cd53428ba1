import ControlProtocol

/// What is broken, then what happened, newest first.
extension Screen {
    mutating func drawEvents() {
        let faults = model.shown.faults.count
        let remark =
            faults > 0 ? StyledText("! \(Format.plural(faults, "fault")) now", .bad) : StyledText("no faults", .good)
        let inside = pane(.events, title: paneTitle(.events, "Events") + filterRemark, remark: remark)
        let entries = Dictionary(model.shown.events.entries.map { ($0.key, $0.event) }, uniquingKeysWith: { $1 })
        list(.events, model.listRect(.events)) { screen, id, width in
            guard case .event(let id) = id else { return StyledText() }
            switch id {
            case .fault(let subject, let message):
                let since =
                    screen.model.shown.faults.first { $0.subject == subject && $0.message == message }?.since ?? 0
                return screen.faultRow(subject, message, since, width)
            case .event(let key): return entries[key].map { screen.eventRow($0, width) } ?? StyledText()
            }
        }
        if model.eventRows().isEmpty { lines([StyledText(" nothing happened yet", .dim)], inside) }
    }

    private var filterRemark: StyledText {
        guard let filter = model.filters[.events] else { return StyledText() }
        return StyledText(" /", .hintKey) + StyledText(filter.text, filter.error == nil ? .good : .bad)
    }

    /// The newest events where there is no pane for them; what is broken goes first.
    mutating func drawTicker() {
        let rect = layout.ticker
        guard rect.height > 0 else { return }
        let rows = model.shown.faults.prefix(max(1, rect.height - 1)).map { fault in
            StyledText(" ") + faultRow(fault.subject, fault.message, fault.since, rect.width - 1)
        }
        let events = model.shown.events.entries.prefix(rect.height - min(rows.count, rect.height)).map { entry in
            StyledText(" ") + eventRow(entry.event, rect.width - 1)
        }
        lines(rows + events, rect)
    }

    private func subjectWidth(_ width: Int) -> Int { width >= 150 ? 32 : width >= 100 ? 24 : 0 }

    private func faultRow(_ subject: Subject, _ message: String, _ since: Double, _ width: Int) -> StyledText {
        var text = StyledText(model.clock(since), .bad) + StyledText(" !! ", .bad, .bold)
        text.column(subject.description, max(subjectWidth(width), subject.description.count), .left, .bad, .bold)
        text.add(" " + message, .text)
        return text
    }

    private func eventRow(_ event: Event, _ width: Int) -> StyledText {
        let (sign, role): (String, StyleRole) =
            switch event.severity {
            case .info: ("  ", .text)
            case .warning: ("* ", .warn)
            case .fault: ("! ", .bad)
            }
        var text = StyledText(model.clock(event.time) + " ", .dim) + StyledText(" " + sign, role)
        let subject = event.subject.description
        text.column(subject, max(subjectWidth(width), DisplayText.width(subject)), .left, .title)
        text.add(" " + event.message, role)
        if !event.actor.isEmpty, event.actor != "engine", width >= 60 { text.add("  by " + event.actor, .dim) }
        if let duration = event.duration, width >= 60 { text.add("  " + Format.duration(duration), .dim) }
        return text
    }
}

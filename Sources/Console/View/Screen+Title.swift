import ControlProtocol

/// The top line: what there is, whether anything is broken, whether the picture is live.
extension Screen {
    private struct Segment {
        var text: StyledText
        /// The lowest goes last when the line is too short.
        var rank: Int
    }

    mutating func drawTitle() {
        var left = segments()
        let right = clock()
        let width = layout.title.width
        // What matters more is placed first; the order on the screen stays.
        let gap = layout.tier <= .small ? 1 : 2
        var room = width - right.width - 1
        var kept: Set<Int> = []
        for index in left.indices.sorted(by: { left[$0].rank < left[$1].rank }) {
            let needed = left[index].text.width + gap
            guard needed <= room || kept.isEmpty else { continue }
            room -= needed
            kept.insert(index)
        }
        left = left.indices.filter(kept.contains).map { left[$0] }
        var line = StyledText()
        for (index, segment) in left.enumerated() {
            if index > 0 { line.add(layout.tier <= .small ? " " : "  ") }
            line.add(segment.text)
        }
        let showsClock = line.width + 1 + right.width <= width
        canvas.draw(line, 0, layout.title.row, width: showsClock ? width - right.width : width)
        if showsClock { canvas.draw(right, width - right.width, layout.title.row, width: right.width) }
    }

    private func segments() -> [Segment] {
        let picture = model.shown
        let faults = faultSegment(picture.faults.count)
        let vms = picture.vms.count
        let devices = picture.devices.count
        let rate = picture.devices.reduce(Rate()) { $0 + model.rate(.device($1.name)) }
        switch layout.tier {
        case .line:
            return [
                Segment(text: faults, rank: 0), Segment(text: StyledText("\(vms)vm"), rank: 1),
                Segment(text: StyledText("\(devices)dev"), rank: 2),
            ]
        case .extraSmall, .small:
            guard picture.snapshot != nil else {
                return [Segment(text: StyledText("2virt", .title, .bold), rank: 1), Segment(text: faults, rank: 0)]
            }
            var segments = [
                Segment(text: StyledText("2virt", .title, .bold), rank: 6),
                Segment(text: StyledText("\(vms)vm"), rank: 2),
                Segment(text: StyledText("\(devices)dev"), rank: 3),
                Segment(text: StyledText(Format.bytes(rate.bytes) + "/s"), rank: layout.tier == .small ? 4 : 7),
                Segment(text: faults, rank: 0),
            ]
            if layout.tier == .small { segments.append(Segment(text: tabs(), rank: 1)) }
            return segments
        case .medium, .large, .extraLarge:
            let isWide = layout.tier >= .large
            var name = StyledText("2virt", .title, .bold)
            if let host = picture.snapshot?.engine.hostName, !host.isEmpty { name.add(" " + Fit.cut(host, 24)) }
            // Before the first picture there is nothing to count.
            guard picture.snapshot != nil else {
                return [Segment(text: name, rank: 1), Segment(text: faults, rank: 0)]
            }
            var segments = [
                Segment(text: name, rank: 1), Segment(text: vmSegment(isWide), rank: 2),
                Segment(text: StyledText(isWide ? Format.plural(devices, "device") : "\(devices) dev"), rank: 3),
            ]
            if isWide {
                let plugged = picture.devices.count { $0.state == .plugged }
                segments.append(Segment(text: StyledText("\(plugged) plugged", .dim), rank: 8))
                let interfaces = picture.devices.reduce(0) { $0 + $1.interfaces.count }
                segments.append(Segment(text: StyledText(Format.plural(interfaces, "interface"), .dim), rank: 7))
            }
            segments.append(Segment(text: StyledText(Format.rate(rate.bytes)), rank: 4))
            segments.append(Segment(text: StyledText("\(Format.whole(rate.transfers + 0.5)) URB/s", .dim), rank: 6))
            segments.append(Segment(text: faults, rank: 0))
            if model.readOnly { segments.append(Segment(text: StyledText("read-only", .warn), rank: 1)) }
            return segments
        }
    }

    /// `40 VMs: 38 running 1 paused 1 lost`.
    private func vmSegment(_ isWide: Bool) -> StyledText {
        let vms = model.shown.vms
        var text = StyledText(Format.plural(vms.count, "VM"))
        guard isWide, !vms.isEmpty else { return text }
        text.add(":")
        let counts = vms.reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
        for state in VMState.allCases {
            guard let count = counts[state] else { continue }
            let role = state.stateWord.role
            text.add(" \(count) \(state.short)", role == .bad || role == .warn ? role : .dim)
        }
        return text
    }

    private func faultSegment(_ count: Int) -> StyledText {
        if model.live.snapshot == nil, model.connection == .connecting { return StyledText("...", .busy) }
        if !model.isConnected { return StyledText(layout.tier == .line ? "LOST" : "NO ENGINE", .bad) }
        if model.live.snapshot == nil { return StyledText("...", .busy) }
        if count > 0 {
            return StyledText(layout.tier >= .medium ? "! " + Format.plural(count, "fault") : "!\(count)", .bad)
        }
        return StyledText(layout.tier >= .medium ? "no faults" : "ok", .good)
    }

    /// Which pane is shown where only one fits.
    private func tabs() -> StyledText {
        var text = StyledText()
        for (pane, name) in [(Pane.vms, "Tree"), (.traffic, "Traf"), (.events, "Evt")] {
            if !text.isEmpty { text.add(" ") }
            if isFocused(pane) {
                text.add("[\(pane.rawValue) \(name)]", .focus, .bold)
            } else {
                text.add("\(pane.rawValue) \(name)", .dim)
            }
        }
        return text
    }

    private func clock() -> StyledText {
        guard layout.tier != .line else { return StyledText() }
        var text = StyledText()
        let isShort = layout.tier <= .small
        if let frozen = model.frozen {
            let behind = model.live.totalTransfers &- min(frozen.totalTransfers, model.live.totalTransfers)
            text.add(isShort ? "FRZ " : "FROZEN +\(Format.grouped(behind)) URB  ", .warn)
        } else if case .lost = model.connection {
            text.add(isShort ? "LOST " : "LOST \(Format.duration(max(0, model.now - model.connectionSince)))  ", .bad)
        } else if model.connection == .connecting {
            text.add(isShort ? "" : "CONNECTING  ", .busy)
        } else if !isShort {
            text.add("LIVE  ", .good)
        }
        text.add(Format.clock(model.frozen?.time ?? model.now, offset: model.utcOffset))
        return text
    }
}

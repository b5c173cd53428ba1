import ControlProtocol

/// Rates, graphs and transfers of one device or interface; of a VM, what is known about it.
extension Screen {
    mutating func drawTraffic() {
        guard let selector = model.trafficSelector else {
            drawPlaceDetail()
            return
        }
        let name = selector.interface.map { "\(selector.device)/\($0)" } ?? selector.device
        var remark = StyledText()
        if model.transferCursor != nil { remark.add("held", .warn) }
        if model.pinned != nil { remark.add(remark.isEmpty ? "pinned" : ", pinned", .warn) }
        let room = max(4, (layout.panes[.traffic]?.width ?? 0) - 18 - remark.width)
        let inside = pane(.traffic, title: paneTitle(.traffic, "Traffic " + Fit.cut(name, room)), remark: remark)
        let parts = TrafficLayout(inside, hasDetail: layout.detail == nil, tier: layout.tier)
        drawFacts(selector, parts)
        drawRates(selector, parts)
        drawTransfers(parts)
        if parts.detail.height > 0, layout.panes[.traffic] != nil {
            let box = layout.tier.isBoxed ? Rect(inside.column - 1, 0, inside.width + 2, 0) : inside
            let rect = Rect(box.column, parts.rule.row, box.width, 1)
            canvas.rule(
                rect, row: parts.rule.row, title: transferTitle, focused: isFocused(.traffic),
                double: mono && layout.tier.isBoxed)
            lines(transferLines(parts.detail.width), parts.detail)
        }
        drawTrafficFooter(parts)
    }

    private mutating func drawTrafficFooter(_ parts: TrafficLayout) {
        guard parts.footer.height > 0 else { return }
        var text = StyledText()
        if let filter = model.filters[.traffic] {
            text.add(" /", .hintKey)
            text.add(filter.text, filter.error == nil ? .good : .bad)
            text.add("  \(model.transferRows().count) of \(model.shown.traffic.transfers.count)  Esc clears", .dim)
        } else if let view = model.shown.traffic.view {
            let counters = view.counters
            text.add(" ring \(Format.grouped(view.ringCount)), \(Format.grouped(view.ringDropped)) dropped", .dim)
            text.add(
                "  in \(Format.bytes(Double(counters.bytesIn))) out \(Format.bytes(Double(counters.bytesOut)))",
                .dim)
        }
        canvas.draw(text, parts.footer.column, parts.footer.row, width: parts.footer.width)
    }

    private mutating func drawFacts(_ selector: TrafficSelector, _ parts: TrafficLayout) {
        guard parts.facts.height > 0, let device = model.shown.device(selector.device) else { return }
        var text = StyledText(" ")
        if let name = selector.interface, let interface = device.interface(name) {
            text.add(interface.title, .title)
            let endpoints = interface.endpoints.map { $0.label }.joined(separator: ", ")
            if !interface.backend.isEmpty { text.add("  to " + interface.backend, .dim) }
            if !endpoints.isEmpty { text.add("  " + endpoints, .dim) }
        } else {
            text.add(device.vidpid + " ", .dim)
            text.add(device.product, .title)
            if !device.serialNumber.isEmpty { text.add("  " + device.serialNumber, .dim) }
            if let emulator = device.emulator {
                let word = emulator.processor.stateWord
                text.add("  \(emulator.board) ", .dim)
                text.add(word.word, word.role)
            } else {
                text.add("  " + device.firmware.rawValue, .dim)
            }
            if let importer = device.export?.importer {
                // Who has it matters more than what it is.
                text = StyledText(" by ", .dim) + StyledText(importer.peer, .title)
                if let time = importer.roundTrip { text.add(" RTT \(Format.roundTrip(time))", .dim) }
                text.add(" since \(model.clock(importer.since)) \(device.export?.busID ?? "")", .dim)
            }
        }
        canvas.draw(text, parts.facts.column, parts.facts.row, width: parts.facts.width)
    }

    private mutating func drawRates(_ selector: TrafficSelector, _ parts: TrafficLayout) {
        let id =
            selector.interface.map { ObjectID.interface(device: selector.device, name: $0) } ?? .device(selector.device)
        let rate = model.rate(id)
        let view = model.shown.traffic.selector == selector ? model.shown.traffic.view : nil
        let seconds = max(view?.sampleSeconds ?? 1, 0.001)
        let samples = view == nil ? [] : model.shown.traffic.samples(now: model.shownTime)
        let counters = view?.counters ?? counters(selector)
        let samplesIn = samples.map { Double($0.bytesIn) / seconds }
        let samplesOut = samples.map { Double($0.bytesOut) / seconds }
        var trouble = StyledText()
        trouble.add("  err \(Format.grouped(counters.errors))", counters.errors > 0 ? .bad : .dim)
        trouble.add("  stall \(Format.grouped(counters.stalls))", counters.stalls > 0 ? .warn : .dim)
        guard parts.rateOut.height > 0 else {
            var line = StyledText(" IN ", .in) + StyledText(Format.bytes(rate.bytesIn) + "/s")
            line.add("  OUT ", .out)
            line.add(Format.bytes(rate.bytesOut) + "/s")
            line.add(trouble)
            draw(line, in: parts.rateIn)
            let sums = zip(samplesIn, samplesOut).map { $0 + $1 }
            draw(sums, .in, in: parts.graphIn)
            return
        }
        let span = Format.duration(seconds * Double(min(samples.count, parts.graphIn.width * 2)))
        var line = StyledText(" IN  ", .in) + StyledText(Format.rate(rate.bytesIn))
        line.add("  peak \(Format.bytes(samplesIn.max() ?? 0))", .dim)
        line.add(trouble)
        draw(line, in: parts.rateIn)
        draw(samplesIn, .in, in: parts.graphIn)
        line = StyledText(" OUT ", .out) + StyledText(Format.rate(rate.bytesOut))
        line.add("  peak \(Format.bytes(samplesOut.max() ?? 0))", .dim)
        if !samples.isEmpty { line.add("  last \(span)", .dim) }
        draw(line, in: parts.rateOut)
        draw(samplesOut, .out, in: parts.graphOut)
    }

    private func counters(_ selector: TrafficSelector) -> Counters {
        guard let device = model.shown.device(selector.device) else { return Counters() }
        return selector.interface.flatMap { device.interface($0)?.counters } ?? device.counters
    }

    private mutating func draw(_ line: StyledText, in rect: Rect) {
        if rect.height > 0 { canvas.draw(line, rect.column, rect.row, width: rect.width) }
    }

    private mutating func draw(_ values: [Double], _ role: StyleRole, in rect: Rect) {
        let shown = values.suffix(rect.width * (glyphs == .unicode ? 2 : 1))
        let rows = Graph.area(values, peak: shown.max() ?? 0, width: rect.width, height: rect.height, glyphs: glyphs)
        lines(rows.map { StyledText($0, role) }, rect)
    }

    private mutating func drawTransfers(_ parts: TrafficLayout) {
        let wide = parts.list.width >= 54
        if parts.header.height > 0 {
            let heading = wide ? "     Δms EP    TYPE   LEN STATUS   DECODE" : "   Δms EP   TYP  LEN STAT  DECODE"
            canvas.draw(StyledText(heading, .dim), parts.header.column, parts.header.row, width: parts.header.width)
        }
        let rows = Dictionary(model.transferRows().map { ($0.sequence, $0) }, uniquingKeysWith: { $1 })
        list(.traffic, parts.list) { screen, id, _ in
            guard case .transfer(let sequence) = id, let row = rows[sequence] else { return StyledText() }
            return screen.transferRow(row, wide: wide)
        }
        if rows.isEmpty { lines(noTransfers(parts.list.width), parts.list) }
    }

    private func noTransfers(_ width: Int) -> [StyledText] {
        guard let selector = model.trafficSelector, let device = model.shown.device(selector.device) else { return [] }
        let why: String
        if model.filters[.traffic] != nil {
            why = "no transfer matches the filter"
        } else if model.isFrozen, model.shown.traffic.selector != selector {
            why = "frozen while another object was watched; z: live"
        } else if !device.isInVM {
            why = model.plugReason(device).map { "not in a guest: \($0)" } ?? "not plugged; p plugs it"
        } else if let name = selector.interface, device.interface(name)?.gate == .off {
            why = "off: the guest sees no such interface; space switches it on"
        } else {
            why = "no transfers since this pane opened"
        }
        var lines = Fit.wrap(why, max(1, width - 2), lines: 2).map { StyledText(" " + $0, .dim) }
        for interface in device.interfaces where selector.interface == nil || interface.name == selector.interface {
            var line = StyledText(" " + interface.stateWord.glyph + " ", interface.stateWord.role)
            line.add(interface.name + " ", .title)
            line.add(interface.trouble ?? interface.backend, interface.trouble == nil ? .dim : .bad)
            lines.append(line)
        }
        return lines
    }

    private func transferRow(_ row: TransferRow, wide: Bool) -> StyledText {
        let direction: StyleRole = row.isIn ? .in : .out
        let status: StyleRole =
            row.status == "ok" ? .good : row.status == "cancelled" ? .off : row.status == "stall" ? .warn : .bad
        var text = StyledText()
        text.column(row.milliseconds, wide ? 7 : 5, .right)
        text.add(
            " " + Format.hex(row.endpoint, 2) + (row.isIn ? (wide ? " IN  " : " I ") : (wide ? " OUT " : " O ")),
            direction)
        text.column(row.shortType(wide ? 4 : 3), wide ? 4 : 3, .left, .dim)
        text.column(row.shortLength, wide ? 6 : 5, .right)
        text.add(" ")
        text.column(row.status, wide ? 8 : 5, .left, status)
        text.add(" " + row.decode)
        return text
    }
}

extension TransferRow {
    var isIn: Bool { endpoint & 0x80 != 0 }
    var milliseconds: String {
        let value = latency / 1000
        return value >= 9_999 ? Format.shortDuration(latency / 1_000_000) : Format.tenths(value)
    }

    func shortType(_ width: Int) -> String {
        switch type {
        case "control": width >= 4 ? "ctrl" : "ctl"
        case "isochronous": width >= 4 ? "isoc" : "iso"
        case "interrupt": width >= 4 ? "intr" : "int"
        case "bulk": width >= 4 ? "bulk" : "blk"
        default: type
        }
    }

    var shortLength: String { actual < 10_000 ? String(actual) : "\(Format.whole(Double(actual) / 1024 + 0.5))k" }
}

extension EndpointSnapshot {
    /// `81 IN bulk 512`, with what is special.
    var label: String {
        let direction = address & 0x80 != 0 ? "IN" : "OUT"
        return "\(Format.hex(address, 2)) \(direction) \(type) \(maxPacketSize)" + (halted ? " HALTED" : "")
            + (pending > 0 ? " (\(pending) waiting)" : "")
    }
}

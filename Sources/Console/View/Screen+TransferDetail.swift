import ControlProtocol

/// One transfer: when, what, and its first bytes.
extension Screen {
    /// The column of its own at XL.
    mutating func drawTransferDetail(_ rect: Rect) {
        guard model.trafficSelector != nil else {
            canvas.box(rect, title: StyledText("Faults", .title), focused: false, double: false)
            lines(faultLines(rect.inside.width), rect.inside)
            return
        }
        canvas.box(rect, title: transferTitle, focused: false, double: false)
        lines(transferLines(rect.inside.width) + interfaceLines(rect.inside.width), rect.inside)
    }

    var transferTitle: StyledText {
        guard let row = model.heldTransfer else { return StyledText("URB", .dim) }
        let direction = row.isIn ? "IN" : "OUT"
        return StyledText("URB \(row.sequence)", .title)
            + StyledText(" \(Format.hex(row.endpoint, 2)) \(direction) \(row.actual) B +\(row.milliseconds) ms", .dim)
    }

    func transferLines(_ width: Int) -> [StyledText] {
        guard let row = model.heldTransfer else { return [StyledText(" no transfer yet", .dim)] }
        var lines: [StyledText] = []
        let fraction = Format.whole((row.time - Double(Format.whole(row.time))) * 1_000_000)
        let micros = String(String(1_000_000 + min(fraction, 999_999)).dropFirst())
        var first = StyledText(" \(Format.clock(row.time, offset: model.utcOffset)).\(micros)", .dim)
        first.add("  \(row.type)", .dim)
        first.add("  \(row.status)", row.status == "ok" ? .good : .warn)
        if row.actual != row.length { first.add("  \(row.actual) of \(row.length) B", .dim) }
        if let name = row.interface { first.add("  if \(name)", .dim) }
        lines.append(first)
        if !row.decode.isEmpty {
            lines += Fit.wrap(row.decode, max(1, width - 2), lines: 3).map { StyledText(" " + $0, .title) }
        }
        if let setup = row.setup {
            lines.append(
                StyledText(" setup ", .dim)
                    + StyledText(setup.prefix(8).map { Format.hex($0, 2) }.joined(separator: " ")))
        }
        lines += HexDump.lines(Array(row.head.prefix(64)), width: width - 1).map { StyledText(" ") + $0 }
        if row.actual > row.head.count, !row.head.isEmpty {
            lines.append(StyledText(" first \(row.head.count) of \(row.actual) B", .dim))
        }
        return lines
    }

    /// The interfaces of the watched device with endpoints and backends.
    private func interfaceLines(_ width: Int) -> [StyledText] {
        guard let selector = model.trafficSelector, let device = model.shown.device(selector.device) else { return [] }
        var lines = [StyledText(""), StyledText(" \(device.name)", .title) + StyledText("  \(device.product)", .dim)]
        for interface in device.interfaces {
            let word = interface.stateWord
            lines.append(
                StyledText(" \(word.glyph) ", word.role) + StyledText(interface.name)
                    + StyledText(
                        " \(interface.title)  \(interface.trouble ?? interface.backend)",
                        interface.trouble == nil ? .dim : .bad))
            lines += interface.endpoints.map { StyledText("     " + $0.label, $0.halted ? .warn : .dim) }
        }
        return lines
    }

    private func faultLines(_ width: Int) -> [StyledText] {
        guard !model.shown.faults.isEmpty else { return [StyledText(" nothing is broken", .good)] }
        return model.shown.faults.flatMap { fault -> [StyledText] in
            let head = StyledText(" ! \(fault.subject)", .bad) + StyledText("  since \(model.clock(fault.since))", .dim)
            return [head] + Fit.wrap(fault.message, max(1, width - 4), lines: 3).map { StyledText("   " + $0) }
        }
    }
}

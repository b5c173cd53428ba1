import ControlProtocol

/// Chip, LEDs, buttons and serial port of an emulated device.
extension Screen {
    mutating func drawBoard(_ board: BoardState) {
        guard let device = model.device(of: board), let emulator = device.emulator else {
            let inside = overlay("Board of \(board.device)", width: 60, height: 1)
            lines([StyledText(" the device is gone", .warn)], inside)
            return
        }
        let inside = overlay(
            "Board of \(Fit.cut(device.name, 24)): \(Fit.cut(emulator.board, 20))", width: 78, height: 24,
            remark: StyledText("\(device.vidpid) \(Fit.cut(device.product, 24))", .dim))
        var top = [processorLine(emulator), lightLine(emulator)]
        for (index, button) in emulator.buttons.enumerated() {
            let isSelected = index == min(board.cursor, emulator.buttons.count - 1)
            var line = StyledText(isSelected ? ">" : " ", .hintKey)
            line.column(index == 0 ? "Buttons" : "", 9, .left, .dim)
            line.add(button.isOn ? "● " : "○ ", button.isOn ? .good : .off)
            line.add(button.name, isSelected ? .title : .text)
            if button.isOn { line.add(" pressed", .good) }
            top.append(line)
        }
        if emulator.buttons.isEmpty { top.append(StyledText(" Buttons  none", .dim)) }
        if let fault = emulator.fault {
            let registers = fault.split(separator: "\n").map(String.init)
            top += Fit.wrap(registers.first ?? "", max(1, inside.width - 2), lines: 2).map {
                StyledText(" " + $0, .bad)
            }
            top += registers.dropFirst().prefix(5).map { StyledText(" " + $0, .dim) }
        }
        let (head, rest) = inside.splitTop(min(top.count, inside.height))
        lines(top, head)
        // The log is worth a third of what is left; the serial port has the rest.
        let logRows = emulator.log.isEmpty ? 0 : min(emulator.log.count + 1, rest.height / 3)
        let (serial, log) = rest.splitTop(rest.height - logRows)
        drawTail("Serial port", serialLines(emulator.serialText), "nothing written yet", serial)
        drawTail("Log", emulator.log, "", log)
    }

    private func processorLine(_ emulator: EmulatorSnapshot) -> StyledText {
        let word = emulator.processor.stateWord
        var line = StyledText(" ")
        line.column("CPU", 9, .left, .dim)
        line.add("\(word.glyph) \(word.word)", word.role)
        line.add("  \(Format.tenths(emulator.megahertz)) MHz used", .text)
        line.add("  \(Format.tenths(emulator.realTimeFactor * 100)) % of real time", .dim)
        line.add(emulator.isAttached ? "  on the bus" : "  off the bus", emulator.isAttached ? .dim : .warn)
        return line
    }

    private func lightLine(_ emulator: EmulatorSnapshot) -> StyledText {
        var line = StyledText(" ")
        line.column("LEDs", 9, .left, .dim)
        for light in emulator.lights {
            line.add(light.isOn ? "● " : "○ ", light.isOn ? .good : .off)
            line.add(light.name + "  ", light.isOn ? .title : .off)
        }
        if emulator.lights.isEmpty { line.add("none", .dim) }
        return line
    }

    /// Firmware ends lines as terminals like it.
    private func serialLines(_ text: String) -> [String] {
        text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }.map { String(String.UnicodeScalarView($0)) }
    }

    private mutating func drawTail(_ title: String, _ text: [String], _ empty: String, _ rect: Rect) {
        guard rect.height > 0 else { return }
        let shown = text.suffix(rect.height - 1).map { StyledText(" " + $0) }
        let none = text.isEmpty && !empty.isEmpty ? [StyledText(" " + empty, .dim)] : []
        lines([StyledText(" " + title, .dim)] + shown + none, rect)
    }
}

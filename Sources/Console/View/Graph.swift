/// Small pictures of rates.
enum Graph {
    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// One column a sample, the newest at the right; `·` where nothing moved.
    static func sparkline(_ values: [Double], width: Int, glyphs: GlyphSet) -> String {
        guard width > 0 else { return "" }
        let shown = values.suffix(width)
        let peak = shown.max() ?? 0
        let signs = shown.map { value -> Character in
            guard value > 0, peak > 0 else { return "·" }
            let share = value / peak * Double(levels.count)
            let level = min(max(Format.whole(share + 0.5), 1), levels.count)
            return levels[level - 1]
        }
        return String(repeating: " ", count: width - signs.count) + String(signs)
    }

    /// `height` lines of a filled graph, top first, scaled to `peak`, the newest sample at the right.
    static func area(_ values: [Double], peak: Double, width: Int, height: Int, glyphs: GlyphSet) -> [String] {
        guard width > 0, height > 0 else { return [] }
        let samplesPerColumn = glyphs == .unicode ? 2 : 1
        let stepsPerRow = glyphs == .unicode ? 4 : glyphs == .blocks ? 8 : 2
        let wanted = width * samplesPerColumn
        let shown = Array(repeating: 0.0, count: max(0, wanted - values.count)) + values.suffix(wanted)
        let heights = shown.map { value -> Int in
            guard value > 0, peak > 0 else { return 0 }
            return min(max(Format.whole(value / peak * Double(height * stepsPerRow) + 0.5), 1), height * stepsPerRow)
        }
        return (0..<height).map { row in
            let floor = (height - 1 - row) * stepsPerRow
            var line = ""
            for column in 0..<width {
                switch glyphs {
                case .unicode:
                    line.append(braille(heights[column * 2] - floor, heights[column * 2 + 1] - floor))
                case .blocks:
                    let level = min(heights[column] - floor, 8)
                    line.append(level > 0 ? levels[level - 1] : " ")
                case .ascii:
                    let level = heights[column] - floor
                    line.append(level >= 2 ? "#" : level == 1 ? "." : " ")
                }
            }
            return line
        }
    }

    /// A braille cell with its left and right columns filled from below to these heights (0–4).
    private static func braille(_ left: Int, _ right: Int) -> Character {
        let leftDots: [UInt32] = [0x40, 0x04, 0x02, 0x01]
        let rightDots: [UInt32] = [0x80, 0x20, 0x10, 0x08]
        var bits: UInt32 = 0
        for step in 0..<4 {
            if left > step { bits |= leftDots[step] }
            if right > step { bits |= rightDots[step] }
        }
        guard bits > 0, let scalar = Unicode.Scalar(0x2800 + bits) else { return " " }
        return Character(scalar)
    }
}

/// Bytes as hexadecimal and ASCII.
enum HexDump {
    /// As many bytes a line as fit `width`: 16, 8 or 4, spaced apart where there is room.
    static func lines(_ bytes: [UInt8], width: Int) -> [StyledText] {
        let fitting = width >= 58 ? 16 : width >= 38 ? 8 : 4
        let perLine = bytes.count <= 8 ? min(fitting, 8) : fitting
        // 16 spaced bytes take 71 columns; grouped by four they take 58.
        let group = perLine == 16 && width < 71 ? 4 : 1
        return stride(from: 0, to: bytes.count, by: perLine).map { start in
            let slice = bytes[start..<min(start + perLine, bytes.count)]
            var line = StyledText(Format.hex(start, 4) + " ", .dim)
            var hex = ""
            for index in 0..<perLine {
                let position = start + index
                hex += position < bytes.count ? Format.hex(bytes[position], 2) : "  "
                if index % group == group - 1 { hex += " " }
            }
            line.add(hex)
            line.add(String(slice.map { 0x20..<0x7F ~= $0 ? Character(Unicode.Scalar($0)) : "." }), .dim)
            return line
        }
    }
}

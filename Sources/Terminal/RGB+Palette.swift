import Console

extension RGB {
    /// The nearest of the fixed colours 16–255 of the xterm palette: the cube of 6 steps and the grey ramp. Colours 0–15
    /// are the user's own.
    var nearestIndexed: UInt8 {
        let steps: [Int] = [0, 95, 135, 175, 215, 255]
        func step(_ value: UInt8) -> Int {
            steps.indices.min { abs(steps[$0] - Int(value)) < abs(steps[$1] - Int(value)) } ?? 0
        }
        let (r, g, b) = (step(red), step(green), step(blue))
        let cube = UInt8(16 + 36 * r + 6 * g + b)
        let mean = (Int(red) + Int(green) + Int(blue)) / 3
        let ramp = min(max((mean - 3) / 10, 0), 23)
        let level = 8 + 10 * ramp
        let toCube = distance(steps[r], steps[g], steps[b])
        return distance(level, level, level) < toCube ? UInt8(232 + ramp) : cube
    }

    /// As a direct-colour terminal takes it, where 0–7 mean the ANSI colours.
    var direct: Int32 {
        max(Int32(red) << 16 | Int32(green) << 8 | Int32(blue), 8)
    }

    private func distance(_ r: Int, _ g: Int, _ b: Int) -> Int {
        let (dr, dg, db) = (r - Int(red), g - Int(green), b - Int(blue))
        return dr * dr + dg * dg + db * db
    }
}

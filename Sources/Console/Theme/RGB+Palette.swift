extension RGB {
    /// The nearest of the fixed colours 16–255 of the xterm palette; 0–15 are the operator's own and never used.
    public var indexed256: UInt8 {
        let steps: [Int] = [0, 95, 135, 175, 215, 255]
        func nearest(_ value: UInt8) -> Int {
            steps.indices.min { abs(steps[$0] - Int(value)) < abs(steps[$1] - Int(value)) } ?? 0
        }
        let cube = (nearest(red), nearest(green), nearest(blue))
        let cubeColour = RGB(UInt8(steps[cube.0]), UInt8(steps[cube.1]), UInt8(steps[cube.2]))
        let mean = (Int(red) + Int(green) + Int(blue)) / 3
        let grey = min(max((mean - 8 + 5) / 10, 0), 23)
        let greyLevel = UInt8(8 + grey * 10)
        let useGrey = distance(to: RGB(greyLevel, greyLevel, greyLevel)) < distance(to: cubeColour)
        return useGrey ? UInt8(232 + grey) : UInt8(16 + cube.0 * 36 + cube.1 * 6 + cube.2)
    }

    private func distance(to other: RGB) -> Int {
        let red = Int(red) - Int(other.red)
        let green = Int(green) - Int(other.green)
        let blue = Int(blue) - Int(other.blue)
        return red * red + green * green + blue * blue
    }
}

/// A GPIO port with MODER (F0, F3: RM0091 chapter 8).
final class GPIOPort: GPIORegisters {
    init(port: Int, base: UInt32, pins: PinBank) {
        isDebugPort = port == 0
        super.init(
            port: port, base: base, pins: pins, layout: Layout(input: 0x10, output: 0x14, setReset: 0x18, reset: 0x28))
    }

    private let isDebugPort: Bool

    override func reset() {
        super.reset()
        // SWDIO and SWCLK.
        if isDebugPort {
            self[0x00] = 0x2800_0000
            self[0x0C] = 0x2400_0000
        }
        drive()
    }

    override func configuration() -> (driven: UInt16, pullUp: UInt16, pullDown: UInt16) {
        var driven: UInt16 = 0
        var up: UInt16 = 0
        var down: UInt16 = 0
        let output = output
        for pin in 0..<UInt32(16) {
            let bit = UInt16(1) << UInt16(pin)
            if self[0x00] >> (2 * pin) & 3 == 1 {
                // Open drain drives low only.
                if self[0x04] >> pin & 1 == 0 || output & bit == 0 { driven |= bit }
            }
            switch self[0x0C] >> (2 * pin) & 3 {
            case 1: up |= bit
            case 2: down |= bit
            default: break
            }
        }
        return (driven, up, down)
    }
}

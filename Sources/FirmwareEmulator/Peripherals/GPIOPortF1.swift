/// A GPIO port with CRL and CRH (F1: RM0008 chapter 9).
final class GPIOPortF1: GPIORegisters {
    init(port: Int, base: UInt32, pins: PinBank) {
        super.init(
            port: port, base: base, pins: pins, layout: Layout(input: 0x08, output: 0x0C, setReset: 0x10, reset: 0x14))
    }

    override func reset() {
        super.reset()
        self[0x00] = 0x4444_4444
        self[0x04] = 0x4444_4444
        drive()
    }

    override func configuration() -> (driven: UInt16, pullUp: UInt16, pullDown: UInt16) {
        var driven: UInt16 = 0
        var up: UInt16 = 0
        var down: UInt16 = 0
        let output = output
        for pin in 0..<UInt32(16) {
            let bit = UInt16(1) << UInt16(pin)
            let configuration = self[pin < 8 ? 0x00 : 0x04] >> (4 * (pin & 7)) & 0xF
            let isOutput = configuration & 3 != 0
            switch configuration >> 2 {
            case 0 where isOutput: driven |= bit
            case 1 where isOutput && output & bit == 0: driven |= bit
            // An input with a pull resistor, whose direction is ODR's bit.
            case 2 where !isOutput: if output & bit != 0 { up |= bit } else { down |= bit }
            default: break
            }
        }
        return (driven, up, down)
    }
}

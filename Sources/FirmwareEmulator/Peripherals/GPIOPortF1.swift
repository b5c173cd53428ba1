/// A GPIO port with CRL and CRH (F1: RM0008 chapter 9).
final class GPIOPortF1: RegisterBlock {
    private let port: Int
    private let pins: PinBank

    init(port: Int, base: UInt32, pins: PinBank) {
        self.port = port
        self.pins = pins
        super.init("GPIO" + String(UnicodeScalar(UInt8(0x41 + port))), base: base)
    }

    override func reset() {
        super.reset()
        self[0x00] = 0x4444_4444
        self[0x04] = 0x4444_4444
        drive()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x08: UInt32(pins.ports[port].levels)
        case 0x10, 0x14: 0
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x08: return
        case 0x0C: self[0x0C] = (self[0x0C] & ~mask | value) & 0xFFFF
        case 0x10: self[0x0C] = (self[0x0C] & ~(value >> 16) | value) & 0xFFFF
        case 0x14: self[0x0C] &= ~value
        default: keep(offset, value, mask: mask)
        }
        drive()
    }

    override func isPlain(_ offset: UInt32) -> Bool { offset != 0x08 && offset != 0x10 && offset != 0x14 }

    private func drive() {
        var driven: UInt16 = 0
        var up: UInt16 = 0
        var down: UInt16 = 0
        let output = UInt16(truncatingIfNeeded: self[0x0C])
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
        pins.update(port) {
            $0.driven = driven
            $0.output = output
            $0.pullUp = up
            $0.pullDown = down
        }
    }
}

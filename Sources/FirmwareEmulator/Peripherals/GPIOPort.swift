/// A GPIO port with MODER (F0, F3: RM0091 chapter 8).
final class GPIOPort: RegisterBlock {
    private let port: Int
    private let pins: PinBank

    init(port: Int, base: UInt32, pins: PinBank) {
        self.port = port
        self.pins = pins
        super.init("GPIO" + String(UnicodeScalar(UInt8(0x41 + port))), base: base)
    }

    override func reset() {
        super.reset()
        // SWDIO and SWCLK.
        if port == 0 {
            self[0x00] = 0x2800_0000
            self[0x0C] = 0x2400_0000
        }
        drive()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x10: UInt32(pins.ports[port].levels)
        case 0x18, 0x28: 0
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x10: return
        case 0x14: self[0x14] = (self[0x14] & ~mask | value) & 0xFFFF
        // Set wins over reset.
        case 0x18: self[0x14] = (self[0x14] & ~(value >> 16) | value) & 0xFFFF
        case 0x28: self[0x14] &= ~value
        default: keep(offset, value, mask: mask)
        }
        drive()
    }

    override func isPlain(_ offset: UInt32) -> Bool { offset != 0x10 && offset != 0x18 && offset != 0x28 }

    private func drive() {
        var driven: UInt16 = 0
        var up: UInt16 = 0
        var down: UInt16 = 0
        let output = UInt16(truncatingIfNeeded: self[0x14])
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
        pins.update(port) {
            $0.driven = driven
            $0.output = output
            $0.pullUp = up
            $0.pullDown = down
        }
    }
}

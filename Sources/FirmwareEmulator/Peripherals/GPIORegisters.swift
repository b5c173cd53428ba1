/// What GPIO ports of all families have in common: an input register, an output register, and two through which single
/// bits of the latter are set and cleared.
class GPIORegisters: RegisterBlock {
    /// Offsets of IDR, ODR, BSRR and BRR.
    struct Layout {
        var input: UInt32
        var output: UInt32
        var setReset: UInt32
        var reset: UInt32
    }

    private let layout: Layout
    private let port: Int
    private let pins: PinBank

    init(port: Int, base: UInt32, pins: PinBank, layout: Layout) {
        self.port = port
        self.pins = pins
        self.layout = layout
        super.init("GPIO" + String(UnicodeScalar(UInt8(0x41 + port))), base: base)
    }

    /// The output data register.
    final var output: UInt16 { UInt16(truncatingIfNeeded: self[layout.output]) }

    /// What the configuration registers make of the pins: which are driven, which are pulled up, which down.
    func configuration() -> (driven: UInt16, pullUp: UInt16, pullDown: UInt16) { (0, 0, 0) }

    /// Tells the pins; to be called when a register has changed.
    final func drive() {
        let (driven, pullUp, pullDown) = configuration()
        pins.update(port) {
            $0.driven = driven
            $0.output = output
            $0.pullUp = pullUp
            $0.pullDown = pullDown
        }
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case layout.input: UInt32(pins.ports[port].levels)
        case layout.setReset, layout.reset: 0
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        guard offset != layout.input else { return }
        let register: UInt32
        let new: UInt32
        if let output = output(after: offset, value, mask: mask) {
            (register, new) = (layout.output, output)
        } else {
            (register, new) = (offset, self[offset] & ~mask | value & mask)
        }
        guard self[register] != new else { return }
        self[register] = new
        drive()
    }

    /// ODR as such a write leaves it; nil for a register that does not change it.
    private func output(after offset: UInt32, _ value: UInt32, mask: UInt32) -> UInt32? {
        let old = self[layout.output]
        return switch offset {
        case layout.output: (old & ~mask | value) & 0xFFFF
        // Set wins over reset.
        case layout.setReset: (old & ~(value >> 16) | value) & 0xFFFF
        case layout.reset: old & ~value
        default: nil
        }
    }

    override func isPlain(_ offset: UInt32) -> Bool { true }

    /// A main loop that sets its LEDs to what they are, again and again, is idle.
    override func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        let shift = 8 * (offset & 3)
        let register = offset & ~3
        guard register != layout.input else { return true }
        if let output = output(after: register, value << shift, mask: width.mask << shift) {
            return output == self[layout.output]
        }
        return super.isNeutral(offset, width: width, value: value)
    }
}

/// SPI of the RP2040, an Arm PL022 (datasheet 4.4), with nothing at its pins: what is sent is answered with zeros.
final class SPIControllerPL022: AtomicRegisterBlock {
    private static let depth = 8
    private var answers = 0

    override func reset() {
        super.reset()
        answers = 0
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x08:
            answers = max(0, answers - 1)
            return 0
        // TFE, TNF, RNE, RFF.
        case 0x0C: return 3 | (answers > 0 ? 4 : 0) | (answers == Self.depth ? 8 : 0)
        case 0x18: return 8 | (answers > 0 ? 4 : 0)
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        if offset == 0x08 { answers = min(answers + 1, Self.depth) } else { keep(offset, value, operation) }
    }

    override func isSteady(_ offset: UInt32) -> Bool { offset != 0x08 }
}

/// I2C of the RP2040, a Synopsys DW_apb_i2c (datasheet 4.3), with nothing on its bus: each address is refused.
final class I2CControllerDW: AtomicRegisterBlock {
    private enum Register {
        static let data: UInt32 = 0x10, status: UInt32 = 0x2C, mask: UInt32 = 0x30, raw: UInt32 = 0x34
        static let clearAll: UInt32 = 0x40, clearAbort: UInt32 = 0x54, clearStop: UInt32 = 0x60
        static let enable: UInt32 = 0x6C, state: UInt32 = 0x70, abortSource: UInt32 = 0x80, enableStatus: UInt32 = 0x9C
    }

    private static let abort: UInt32 = 1 << 6, stop: UInt32 = 1 << 9, empty: UInt32 = 1 << 4
    private let interrupts: any InterruptLines
    private let irq: Int
    private var events: UInt32 = 0

    init(_ name: String, base: UInt32, interrupts: any InterruptLines, irq: Int) {
        self.interrupts = interrupts
        self.irq = irq
        super.init(name, base: base)
    }

    override func reset() {
        super.reset()
        self[0x00] = 0x65
        self[0x04] = 0x55
        self[Register.mask] = 0x8FF
        events = 0
        updateLine()
    }

    private var raw: UInt32 { events | (self[Register.enable] & 1 == 1 ? Self.empty : 0) }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.status: return raw & self[Register.mask]
        case Register.raw: return raw
        case Register.clearAll, Register.clearAbort, Register.clearStop:
            events &= offset == Register.clearAbort ? ~Self.abort : offset == Register.clearStop ? ~Self.stop : 0
            if offset != Register.clearStop { self[Register.abortSource] = 0 }
            updateLine()
            return 0
        // TFNF, TFE.
        case Register.state: return 6
        case Register.enableStatus: return self[Register.enable] & 1
        case 0xF4: return 0x00FF_FF6E
        case 0xFC: return 0x4457_0140
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        switch offset {
        case Register.data:
            // ABRT_7B_ADDR_NOACK, and the stop that follows.
            events |= Self.abort | Self.stop
            self[Register.abortSource] = 1
        default: keep(offset, value, operation)
        }
        updateLine()
    }

    private func updateLine() { interrupts.setLine(irq, raw & self[Register.mask] & ~Self.empty != 0) }

    override func isSteady(_ offset: UInt32) -> Bool {
        ![Register.clearAll, Register.clearAbort, Register.clearStop].contains(offset)
    }
}

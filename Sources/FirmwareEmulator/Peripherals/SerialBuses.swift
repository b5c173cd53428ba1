/// I2C of F0 and F3 with nobody else on the bus: no address is acknowledged (RM0091 chapter 26).
final class I2CController: RegisterBlock {
    private let interrupts: any InterruptLines
    private let irq: Int

    init(_ name: String, base: UInt32, interrupts: any InterruptLines, irq: Int) {
        self.interrupts = interrupts
        self.irq = irq
        super.init(name, base: base)
    }

    override func reset() {
        super.reset()
        self[0x18] = 1
        updateLine()
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00:
            keep(offset, value, mask: mask)
            // Without PE all flags are at rest.
            if self[0x00] & 1 == 0 { self[0x18] = 1 }
        case 0x04:
            // START and STOP are done at once: NACKF and, since the bus is given up, STOPF.
            keep(offset, value & ~0x6000, mask: mask)
            if self[0x00] & 1 != 0, value & 0x2000 != 0 { self[0x18] |= 0x30 }
            if self[0x00] & 1 != 0, value & 0x4000 != 0 { self[0x18] |= 0x20 }
        case 0x18: break
        case 0x1C: self[0x18] &= ~(value & mask & 0x3F38)
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    private func updateLine() {
        // NACKIE 4 and STOPIE 5 of CR1 are at the places of their flags.
        interrupts.setLine(irq, self[0x18] & self[0x00] & 0x30 != 0)
    }
}

/// I2C of F1 with nobody else on the bus (RM0008 chapter 26).
final class I2CControllerF1: RegisterBlock {
    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00:
            keep(offset, value & ~0x200, mask: mask)
            if value & 0x100 != 0, self[0x00] & 1 != 0 {
                // START: SB, master, busy.
                self[0x00] &= ~0x100
                self[0x14] |= 1
                self[0x18] |= 3
            }
            if value & 0x200 != 0 {
                self[0x18] = 0
                self[0x14] &= ~1
            }
        case 0x10:
            // The address byte is not acknowledged: AF.
            if self[0x14] & 1 != 0 { self[0x14] = self[0x14] & ~1 | 0x400 }
        case 0x14: self[0x14] &= value | ~mask | 0xFF
        case 0x18: break
        default: keep(offset, value, mask: mask)
        }
    }
}

/// SPI with nothing on MISO: what is sent comes back as ones (RM0091 chapter 28, RM0008 chapter 25).
final class SPIController: RegisterBlock {
    private var waiting = 0

    override func reset() {
        super.reset()
        self[0x10] = 7
        waiting = 0
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x08: return 2 | (waiting > 0 ? 1 : 0)
        case 0x0C:
            waiting = max(0, waiting - 1)
            return 0xFFFF
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x08: break
        case 0x0C: if self[0x00] & 0x40 != 0 { waiting = min(4, waiting + 1) }
        default: keep(offset, value, mask: mask)
        }
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x0C }
}

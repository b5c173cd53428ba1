/// FLASH of F4: sectors of 16, 64 and 128 KiB, programming by bytes, halfwords or words (RM0090 chapter 3).
///
/// Programming is instant, and clears bits only.
final class FlashInterfaceF4: RegisterBlock, FlashProgramming {
    private enum Register {
        static let access: UInt32 = 0x00, key: UInt32 = 0x04, optionKey: UInt32 = 0x08, status: UInt32 = 0x0C
        static let control: UInt32 = 0x10, options: UInt32 = 0x14
    }

    private enum Status {
        static let end: UInt32 = 1 << 0, operationError: UInt32 = 1 << 1, writeProtection: UInt32 = 1 << 4
        static let parallelism: UInt32 = 1 << 6, sequence: UInt32 = 1 << 7
        static let errors: UInt32 = 0xF2
    }

    private enum Control {
        static let program: UInt32 = 1 << 0, sectorErase: UInt32 = 1 << 1, massErase: UInt32 = 1 << 2
        static let start: UInt32 = 1 << 16, endInterrupt: UInt32 = 1 << 24, errorInterrupt: UInt32 = 1 << 25
        static let lock: UInt32 = 1 << 31
    }

    private enum Unlock { case locked, halfway, open, untilReset }

    private let flash: MemoryRegion
    private let interrupts: any InterruptLines
    private let irq: Int
    private var unlock = Unlock.locked
    var onChange: (UInt32, UInt32) -> Void = { _, _ in }

    init(flash: MemoryRegion, interrupts: any InterruptLines, irq: Int) {
        self.flash = flash
        self.interrupts = interrupts
        self.irq = irq
        super.init("FLASH", base: 0x4002_3C00)
    }

    override func reset() {
        super.reset()
        unlock = .locked
        self[Register.control] = Control.lock
        self[Register.options] = 0x0FFF_AAED
        updateLine()
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case Register.access: keep(offset, value, mask: mask)
        case Register.key: key(value)
        case Register.status:
            self[Register.status] &= ~(value & mask)
            updateLine()
        case Register.control: control(value, mask: mask)
        default: break
        }
    }

    /// A wrong key locks until the next reset (RM0090 section 3.6.1).
    private func key(_ value: UInt32) {
        switch (unlock, value) {
        case (.locked, 0x4567_0123): unlock = .halfway
        case (.halfway, 0xCDEF_89AB):
            unlock = .open
            self[Register.control] &= ~Control.lock
        case (.open, _): break
        default: unlock = .untilReset
        }
    }

    private func control(_ value: UInt32, mask: UInt32) {
        if value & mask & Control.lock != 0 {
            unlock = unlock == .untilReset ? .untilReset : .locked
            self[Register.control] |= Control.lock
            return
        }
        guard unlock == .open else { return }
        keep(Register.control, value, mask: mask & ~Control.lock)
        updateLine()
        guard self[Register.control] & Control.start != 0 else { return }
        self[Register.control] &= ~Control.start
        if self[Register.control] & Control.massErase != 0 {
            erase(0, flash.size)
        } else if self[Register.control] & Control.sectorErase != 0 {
            guard let (start, size) = Self.sector(self[Register.control] >> 3 & 0x1F), start + size <= flash.size else {
                return done(Status.operationError)
            }
            erase(start, size)
        }
    }

    /// Offset and length of a sector: four of 16 KiB, one of 64, then 128 each.
    static func sector(_ number: UInt32) -> (start: UInt32, size: UInt32)? {
        switch number {
        case 0..<4: (number * 0x4000, 0x4000)
        case 4: (0x1_0000, 0x1_0000)
        case 5..<12: ((number - 4) * 0x2_0000, 0x2_0000)
        default: nil
        }
    }

    private func erase(_ start: UInt32, _ size: UInt32) {
        flash.fill(0xFF, at: start, count: size)
        onChange(start, size)
        done(Status.end)
    }

    func program(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        guard unlock == .open, self[Register.control] & Control.program != 0 else { return done(Status.sequence) }
        // PSIZE; double words come as two words.
        let wanted: [UInt32] = [1, 2, 4, 4]
        guard wanted[Int(self[Register.control] >> 8 & 3)] == width.rawValue else { return done(Status.parallelism) }
        let before = flash.read(at: offset, count: Int(width.rawValue))
        let bytes = before.enumerated().map { $1 & UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
        flash.write(bytes, at: offset)
        onChange(offset, width.rawValue)
        done(Status.end)
    }

    private func done(_ flag: UInt32) {
        // EOP shows only with its interrupt enabled (RM0090 section 3.8.5).
        if flag != Status.end || self[Register.control] & Control.endInterrupt != 0 { self[Register.status] |= flag }
        updateLine()
    }

    private func updateLine() {
        let status = self[Register.status], enabled = self[Register.control]
        let isEnd = status & Status.end != 0 && enabled & Control.endInterrupt != 0
        let isError = status & Status.errors != 0 && enabled & Control.errorInterrupt != 0
        interrupts.setLine(irq, isEnd || isError)
    }
}

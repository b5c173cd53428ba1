/// FLASH as the rest of a chip sees it, whatever the family's registers are.
protocol FlashProgramming: Peripheral {
    /// Called after flash contents changed, with the offset and length.
    var onChange: (UInt32, UInt32) -> Void { get set }
    /// A store to flash by firmware, at an offset from the flash's start.
    func program(_ offset: UInt32, width: AccessWidth, value: UInt32)
}

/// FLASH of F0, F1 and F3: unlocking, page and mass erase, halfword programming, option bytes (RM0091 chapter 3, PM0075).
///
/// Programming is instant. Bytes go through the memory region, which throws decoded code away. Option bytes are shown by
/// OBR and WRPR after the next reset and protect nothing.
final class FlashInterface: RegisterBlock, FlashProgramming {
    private static let busy: UInt32 = 1 << 0
    private static let programmingError: UInt32 = 1 << 2
    private static let writeProtectionError: UInt32 = 1 << 4
    private static let endOfOperation: UInt32 = 1 << 5

    private enum Control {
        static let program: UInt32 = 1 << 0
        static let pageErase: UInt32 = 1 << 1
        static let massErase: UInt32 = 1 << 2
        static let optionProgram: UInt32 = 1 << 4
        static let optionErase: UInt32 = 1 << 5
        static let start: UInt32 = 1 << 6
        static let lock: UInt32 = 1 << 7
        static let optionWriteEnable: UInt32 = 1 << 9
        static let errorInterrupt: UInt32 = 1 << 10
        static let endInterrupt: UInt32 = 1 << 12
        /// F0 and F3: OBL_LAUNCH.
        static let optionLoad: UInt32 = 1 << 13
    }

    private enum Unlock { case locked, halfway, open, untilReset }

    private let flash: MemoryRegion
    private let pageSize: UInt32
    private let options: OptionBytes
    private let interrupts: any InterruptLines
    private let irq: Int
    private var unlock = Unlock.locked
    private var optionKeys = 0
    /// Pages that option bytes protect; no chip starts with any.
    var isProtected: (_ page: UInt32) -> Bool = { _ in false }
    var onChange: (UInt32, UInt32) -> Void = { _, _ in }

    /// OBL_LAUNCH: the chip resets itself.
    var onOptionLoad: () -> Void = {}

    init(flash: MemoryRegion, options: OptionBytes, pageSize: UInt32, interrupts: any InterruptLines, irq: Int) {
        self.flash = flash
        self.options = options
        self.pageSize = pageSize
        self.interrupts = interrupts
        self.irq = irq
        super.init("FLASH", base: 0x4002_2000)
    }

    override func reset() {
        super.reset()
        unlock = .locked
        optionKeys = 0
        self[0x00] = 0x30
        self[0x10] = Control.lock
        self[0x1C] = options.register
        self[0x20] = options.writeProtection
        updateLine()
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00:
            keep(offset, value, mask: mask)
            // PRFTBS mirrors PRFTBE.
            self[0x00] = self[0x00] & ~0x20 | (self[0x00] & 0x10) << 1
        case 0x04: key(value)
        case 0x08: optionKey(value)
        case 0x0C:
            self[0x0C] &= ~(value & mask)
            updateLine()
        case 0x10: control(value, mask: mask)
        case 0x14: keep(offset, value, mask: mask)
        default: break
        }
    }

    /// KEYR: a wrong key locks until the next reset (PM0075 section 2.3.1).
    private func key(_ value: UInt32) {
        switch (unlock, value) {
        case (.locked, 0x4567_0123): unlock = .halfway
        case (.halfway, 0xCDEF_89AB):
            unlock = .open
            self[0x10] &= ~Control.lock
        case (.open, _): break
        default: unlock = .untilReset
        }
    }

    private func optionKey(_ value: UInt32) {
        if value == 0x4567_0123 {
            optionKeys = 1
        } else if value == 0xCDEF_89AB, optionKeys == 1, unlock == .open {
            self[0x10] |= Control.optionWriteEnable
        } else {
            optionKeys = 0
        }
    }

    private func control(_ value: UInt32, mask: UInt32) {
        if value & mask & Control.lock != 0 {
            unlock = unlock == .untilReset ? .untilReset : .locked
            self[0x10] |= Control.lock
            return
        }
        guard unlock == .open else { return }
        keep(0x10, value, mask: mask & ~(Control.lock | Control.optionWriteEnable))
        if mask & ~value & Control.optionWriteEnable != 0 { self[0x10] &= ~Control.optionWriteEnable }
        updateLine()
        if options.isLoadable, value & mask & Control.optionLoad != 0 { onOptionLoad() }
        guard self[0x10] & Control.start != 0 else { return }
        self[0x10] &= ~Control.start
        if self[0x10] & Control.massErase != 0 {
            flash.fill(0xFF, at: 0, count: flash.size)
            onChange(0, flash.size)
            done(Self.endOfOperation)
        } else if self[0x10] & Control.pageErase != 0 {
            erasePage(at: self[0x14])
        } else if self[0x10] & Control.optionErase != 0, self[0x10] & Control.optionWriteEnable != 0 {
            options.erase()
            done(Self.endOfOperation)
        }
    }

    /// A store to the option bytes by firmware, at an offset from the first: one halfword, whose upper byte the chip makes
    /// the complement of the lower.
    func programOption(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        guard self[0x10] & Control.optionProgram != 0, self[0x10] & Control.optionWriteEnable != 0 else {
            return done(Self.writeProtectionError)
        }
        guard width == .half, offset & 1 == 0, options.program(offset, UInt8(truncatingIfNeeded: value)) else {
            return done(Self.programmingError)
        }
        done(Self.endOfOperation)
    }

    private func erasePage(at address: UInt32) {
        guard address >= flash.base, address - flash.base < flash.size else { return done(Self.programmingError) }
        let page = (address - flash.base) / pageSize
        guard !isProtected(page) else { return done(Self.writeProtectionError) }
        flash.fill(0xFF, at: page * pageSize, count: pageSize)
        onChange(page * pageSize, pageSize)
        done(Self.endOfOperation)
    }

    /// A store to flash by firmware: programs one halfword, which must be erased or be written with zeros.
    ///
    /// - Parameter offset: from the flash's start.
    func program(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        guard self[0x10] & Control.program != 0, unlock == .open else { return done(Self.writeProtectionError) }
        guard width == .half, offset & 1 == 0, let before = flash.halfword(at: offset) else {
            return done(Self.programmingError)
        }
        guard !isProtected(offset / pageSize) else { return done(Self.writeProtectionError) }
        guard before == 0xFFFF || value & 0xFFFF == 0 else { return done(Self.programmingError) }
        flash.write([UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)], at: offset)
        onChange(offset, 2)
        done(Self.endOfOperation)
    }

    private func done(_ flag: UInt32) {
        self[0x0C] |= flag
        updateLine()
    }

    private func updateLine() {
        let isEnd = self[0x0C] & Self.endOfOperation != 0 && self[0x10] & Control.endInterrupt != 0
        let isError =
            self[0x0C] & (Self.programmingError | Self.writeProtectionError) != 0
            && self[0x10] & Control.errorInterrupt != 0
        interrupts.setLine(irq, isEnd || isError)
    }
}

/// CLOCKS with the two PLLs and both oscillators behind it (RP2040 datasheet 2.15 to 2.18). All are ready at once.
final class Clocks: AtomicRegisterBlock {
    private enum Register {
        static let reference: UInt32 = 0x30, system: UInt32 = 0x3C, peripheral: UInt32 = 0x48, usb: UInt32 = 0x54
        static let adc: UInt32 = 0x60, rtc: UInt32 = 0x6C
        static let counterSource: UInt32 = 0x94, counterStatus: UInt32 = 0x98, counterResult: UInt32 = 0x9C
    }

    /// The ring oscillator as it comes out of reset.
    static let ringOscillator: UInt64 = 6_500_000

    private let clock: VirtualClock
    private let crystal: UInt64
    private unowned let systemPLL: PhaseLockedLoop
    private unowned let usbPLL: PhaseLockedLoop

    /// - Parameter crystal: hertz.
    init(clock: VirtualClock, crystal: UInt64, systemPLL: PhaseLockedLoop, usbPLL: PhaseLockedLoop) {
        self.clock = clock
        self.crystal = crystal
        self.systemPLL = systemPLL
        self.usbPLL = usbPLL
        super.init("CLOCKS", base: 0x4000_8000)
        systemPLL.onChange = { [unowned self] in update() }
        usbPLL.onChange = { [unowned self] in update() }
    }

    override func reset() {
        super.reset()
        // Divisors of 1 (section 2.15.7).
        for base in [0x00, 0x0C, 0x18, 0x24, Register.reference, Register.system, 0x54, 0x60, 0x6C] as [UInt32] {
            self[base + 4] = 0x100
        }
        self[0xA0] = .max
        self[0xA4] = 0x7FFF
        self[0xA8] = .max
        self[0xAC] = 0x7FFF
        update()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        // One-hot: which source the glitchless multiplexers use.
        case Register.reference + 8: 1 << min(self[Register.reference] & 3, 2)
        case Register.system + 8: 1 << (self[Register.system] & 1)
        case 0x08, 0x14, 0x20, 0x2C, Register.peripheral + 8, Register.usb + 8, Register.adc + 8, Register.rtc + 8: 1
        // Enabled clocks: all that WAKE_EN lets through.
        case 0xB0, 0xB4: self[offset - 0x10]
        case Register.counterStatus: 1 << 4 | 1
        case Register.counterResult: UInt32(truncatingIfNeeded: counted / 1000) << 5
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        keep(offset, value, operation)
        if offset < 0x78 { update() }
    }

    private func update() { clock.hertz = max(systemFrequency, 1000) }

    private var referenceFrequency: UInt64 {
        let source: UInt64 =
            switch self[Register.reference] & 3 {
            case 0: Self.ringOscillator
            case 1: self[Register.reference] >> 5 & 3 == 0 ? usbPLL.frequency : 0
            default: crystal
            }
        return source / UInt64(max(self[Register.reference + 4] >> 8 & 3, 1))
    }

    private var systemFrequency: UInt64 {
        guard self[Register.system] & 1 == 1 else { return referenceFrequency }
        return divided(auxiliary(self[Register.system] >> 5 & 7), Register.system)
    }

    /// clk_peri: the UARTs and SPIs.
    var peripheralFrequency: UInt64 {
        let source = self[Register.peripheral] >> 5 & 7
        return source == 0
            ? systemFrequency : source == 1 ? systemPLL.frequency : source == 2 ? usbPLL.frequency : crystal
    }

    private func auxiliary(_ source: UInt32) -> UInt64 {
        switch source {
        case 0: systemPLL.frequency
        case 1: usbPLL.frequency
        case 2: Self.ringOscillator
        case 3: crystal
        default: 0
        }
    }

    /// 24.8 fixed point.
    private func divided(_ frequency: UInt64, _ base: UInt32) -> UInt64 {
        let divisor = self[base + 4]
        return divisor == 0 ? frequency >> 16 : (frequency << 8) / UInt64(divisor)
    }

    /// What the frequency counter's source has (section 2.15.6.2).
    private var counted: UInt64 {
        switch self[Register.counterSource] & 0xFF {
        case 1: systemPLL.frequency
        case 2: usbPLL.frequency
        case 3, 4: Self.ringOscillator
        case 5: crystal
        case 8: referenceFrequency
        case 9: systemFrequency
        case 10: peripheralFrequency
        case 11, 12: 48_000_000
        case 13: 46_875
        default: 0
        }
    }
}

/// A PLL (RP2040 datasheet 2.18): locked as soon as it is powered.
final class PhaseLockedLoop: AtomicRegisterBlock {
    private let crystal: UInt64
    var onChange: () -> Void = {}

    init(_ name: String, base: UInt32, crystal: UInt64) {
        self.crystal = crystal
        super.init(name, base: base)
    }

    override func reset() {
        super.reset()
        self[0x00] = 1
        self[0x04] = 0x2D
        self[0x0C] = 0x0007_7000
        onChange()
    }

    /// PD and VCOPD.
    private var isRunning: Bool { self[0x04] & 0x21 == 0 }

    /// Hertz; 0 while it is off.
    var frequency: UInt64 {
        guard isRunning, self[0x04] & 8 == 0 else { return 0 }
        let divider = UInt64(max(self[0x00] & 0x3F, 1))
        let first = UInt64(max(self[0x0C] >> 16 & 7, 1)), second = UInt64(max(self[0x0C] >> 12 & 7, 1))
        return crystal / divider * UInt64(self[0x08] & 0xFFF) / first / second
    }

    override func load(_ offset: UInt32) -> UInt32 {
        offset == 0 ? self[0] & 0x7FFF_FFFF | (isRunning ? 1 << 31 : 0) : self[offset]
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        keep(offset, value, operation)
        onChange()
    }
}

/// XOSC and ROSC (RP2040 datasheet 2.16, 2.17): enabled and stable.
final class Oscillator: AtomicRegisterBlock {
    private let status: UInt32
    private let randomBit: (() -> UInt32)?

    /// - Parameters:
    ///   - status: offset of STATUS.
    ///   - randomBit: what ROSC's RANDOMBIT shows; nil for XOSC.
    init(_ name: String, base: UInt32, status: UInt32, randomBit: (() -> UInt32)? = nil) {
        self.status = status
        self.randomBit = randomBit
        super.init(name, base: base)
    }

    override func load(_ offset: UInt32) -> UInt32 {
        if offset == status { return 1 << 31 | 1 << 12 }
        if let randomBit {
            if offset == 0x1C { return randomBit() & 1 }
            // COUNT has run out.
            if offset == 0x20 { return 0 }
        } else if offset == 0x1C {
            return 0
        }
        return self[offset]
    }

    override func isSteady(_ offset: UInt32) -> Bool { randomBit == nil || offset != 0x1C }
}

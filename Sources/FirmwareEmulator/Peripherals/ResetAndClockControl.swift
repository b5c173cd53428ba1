/// RCC as the rest of a chip sees it, whatever the family's registers are.
protocol ClockControl: Peripheral {
    /// The bits that give USB its clock changed.
    var onUSBClock: (Bool) -> Void { get set }
    /// USB was reset.
    var onUSBReset: () -> Void { get set }

    /// To be called before the reset that it tells of.
    func noteReset(_ cause: ResetCause)
    /// What timers of APB1 or APB2 count, in hertz.
    func timerFrequency(apb2: Bool) -> UInt64
    /// What ADCs are clocked by, in hertz.
    var converterFrequency: UInt64 { get }
    /// HCLK in hertz.
    var coreFrequency: UInt64 { get }
}

/// Why the chip was reset: the flags of CSR.
enum ResetCause: UInt32 {
    case pin = 0x0400_0000
    case power = 0x0C00_0000
    case software = 0x1400_0000
    case independentWatchdog = 0x2400_0000
    case windowWatchdog = 0x4400_0000
}

/// RCC of F0, F1 and F3: clock tree, peripheral clocks and resets, cause of the last reset (RM0091 chapter 6, RM0008 chapter 7).
///
/// Oscillators are ready as soon as they are switched on.
final class ResetAndClockControl: RegisterBlock, ClockControl {
    private static let usb: UInt32 = 1 << 23
    private let family: STM32Family
    private let clock: VirtualClock
    private let crystal: UInt64
    private let internal8: UInt64 = 8_000_000
    /// Reset cause flags stay until RMVF; the backup domain stays over resets.
    private var flags = ResetCause.power.rawValue
    private var backupDomain: UInt32 = 0
    var onUSBClock: (Bool) -> Void = { _ in }
    var onUSBReset: () -> Void = {}

    /// - Parameter crystal: frequency of the HSE in hertz.
    init(family: STM32Family, clock: VirtualClock, crystal: UInt64) {
        self.family = family
        self.clock = clock
        self.crystal = crystal
        super.init("RCC", base: 0x4002_1000)
    }

    func noteReset(_ cause: ResetCause) { flags |= cause.rawValue }

    override func reset() {
        super.reset()
        self[0x00] = 0x83
        self[0x14] = 0x14
        if family != .f1 { self[0x34] = 0x80 }
        clock.hertz = internal8
        onUSBClock(false)
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x20: backupDomain
        case 0x24: self[0x24] & 0x00FF_FFFF | flags
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        let before = self[offset]
        keep(offset, value, mask: mask)
        switch offset {
        case 0x00: follow(offset, [(0, 1), (16, 17), (24, 25)])
        case 0x04: self[0x04] = self[0x04] & ~0xC | (self[0x04] & 3) << 2
        case 0x08: self[0x08] &= 0x0000_7F00
        case 0x10: if self[0x10] & ~before & Self.usb != 0 { onUSBReset() }
        case 0x1C: onUSBClock(self[0x1C] & Self.usb != 0)
        case 0x20:
            backupDomain = self[0x20] & (1 << 16) != 0 ? 0 : self[0x20] & ~2 | (self[0x20] & 1) << 1
        case 0x24:
            if value & mask & 0x0100_0000 != 0 { flags = 0 }
            self[0x24] = self[0x24] & 1 | (self[0x24] & 1) << 1
        case 0x34 where family == .f0: follow(offset, [(0, 1), (16, 17)])
        default: break
        }
        if offset == 0x00 || offset == 0x04 || offset == 0x2C || offset == 0x34 { clock.hertz = coreFrequency }
    }

    /// PCLK1 or PCLK2 in hertz (F0 has one APB, whose prescaler is in APB1's bits).
    func busFrequency(apb2: Bool) -> UInt64 { coreFrequency / divisor(apb2: apb2) }

    /// What timers of APB1 or APB2 count, in hertz: twice a divided bus clock (RM0008 figure 8).
    func timerFrequency(apb2: Bool) -> UInt64 {
        busFrequency(apb2: apb2) * (divisor(apb2: apb2) == 1 ? 1 : 2)
    }

    /// What ADCs are clocked by: F0 divides PCLK itself, in F1 ADCPRE does.
    var converterFrequency: UInt64 {
        family == .f1 ? busFrequency(apb2: true) / UInt64((self[0x04] >> 14 & 3) * 2 + 2) : busFrequency(apb2: false)
    }

    private func divisor(apb2: Bool) -> UInt64 {
        let prescaler = self[0x04] >> (apb2 && family != .f0 ? 11 : 8) & 7
        return prescaler < 4 ? 1 : 2 << UInt64(prescaler - 4)
    }

    private func follow(_ offset: UInt32, _ pairs: [(enable: UInt32, ready: UInt32)]) {
        for pair in pairs {
            let isOn = self[offset] >> pair.enable & 1
            self[offset] = self[offset] & ~(1 << pair.ready) | isOn << pair.ready
        }
    }

    /// HCLK in hertz.
    var coreFrequency: UInt64 {
        let configuration = self[0x04]
        let source: UInt64 =
            switch configuration & 3 {
            case 1: crystal
            case 2: pll
            case 3: family == .f0 ? 48_000_000 : internal8
            default: internal8
            }
        let prescaler = configuration >> 4 & 0xF
        let shifts: [UInt64] = [1, 2, 3, 4, 6, 7, 8, 9]
        return max(source >> (prescaler < 8 ? 0 : shifts[Int(prescaler - 8)]), 31_250)
    }

    private var pll: UInt64 {
        let configuration = self[0x04]
        let factor = UInt64(min(configuration >> 18 & 0xF, 14)) + 2
        let divider = UInt64(self[0x2C] & 0xF) + 1
        switch family {
        case .f0:
            // PLLSRC 15…16: HSI/2, HSI/PREDIV, HSE/PREDIV, HSI48/PREDIV.
            return switch configuration >> 15 & 3 {
            case 0: internal8 / 2 * factor
            case 1: internal8 / divider * factor
            case 2: crystal / divider * factor
            default: 48_000_000 / divider * factor
            }
        case .f1:
            guard configuration & 0x1_0000 != 0 else { return internal8 / 2 * factor }
            return (configuration & 0x2_0000 != 0 ? crystal / 2 : crystal) * factor
        case .f3, .f4:
            return configuration & 0x1_0000 != 0 ? crystal / divider * factor : internal8 / 2 * factor
        }
    }
}

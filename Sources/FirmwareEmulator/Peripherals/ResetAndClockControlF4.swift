/// RCC of F4 (RM0090 chapter 7, RM0368 chapter 6). Oscillators and PLLs are ready as soon as they are switched on.
final class ResetAndClockControlF4: RegisterBlock, ClockControl {
    private enum Register {
        static let control: UInt32 = 0x00, pll: UInt32 = 0x04, configuration: UInt32 = 0x08, interrupts: UInt32 = 0x0C
        static let ahb2Reset: UInt32 = 0x14, ahb2Enable: UInt32 = 0x34
        static let backupDomain: UInt32 = 0x70, status: UInt32 = 0x74
    }

    /// OTGFSEN and OTGFSRST.
    private static let usb: UInt32 = 1 << 7
    private static let internal16: UInt64 = 16_000_000

    private let clock: VirtualClock
    private let crystal: UInt64
    /// Reset cause flags stay until RMVF; the backup domain stays over resets.
    private var flags = ResetCause.power.rawValue
    private var backupDomain: UInt32 = 0
    var onUSBClock: (Bool) -> Void = { _ in }
    var onUSBReset: () -> Void = {}

    /// - Parameter crystal: frequency of the HSE in hertz.
    init(clock: VirtualClock, crystal: UInt64) {
        self.clock = clock
        self.crystal = crystal
        super.init("RCC", base: 0x4002_3800)
    }

    func noteReset(_ cause: ResetCause) { flags |= cause.rawValue }

    override func reset() {
        super.reset()
        self[Register.control] = 0x83
        self[Register.pll] = 0x2400_3010
        self[0x30] = 0x0010_0000
        clock.hertz = Self.internal16
        onUSBClock(false)
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.backupDomain: backupDomain
        case Register.status: self[Register.status] & 0x00FF_FFFF | flags
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        let before = self[offset]
        keep(offset, value, mask: mask)
        switch offset {
        case Register.control:
            // HSI, HSE, PLL, PLLI2S, PLLSAI.
            for (enable, ready) in [(0, 1), (16, 17), (24, 25), (26, 27), (28, 29)] as [(UInt32, UInt32)] {
                let isOn = self[offset] >> enable & 1
                self[offset] = self[offset] & ~(1 << ready) | isOn << ready
            }
        case Register.configuration: self[offset] = self[offset] & ~0xC | (self[offset] & 3) << 2
        case Register.interrupts: self[offset] &= 0x0000_7F00
        case Register.ahb2Reset: if self[offset] & ~before & Self.usb != 0 { onUSBReset() }
        case Register.ahb2Enable: onUSBClock(self[offset] & Self.usb != 0)
        case Register.backupDomain:
            backupDomain = self[offset] & (1 << 16) != 0 ? 0 : self[offset] & ~2 | (self[offset] & 1) << 1
        case Register.status:
            if value & mask & 0x0100_0000 != 0 { flags = 0 }
            self[offset] = self[offset] & 1 | (self[offset] & 1) << 1
        default: break
        }
        if offset <= Register.configuration { clock.hertz = coreFrequency }
    }

    var coreFrequency: UInt64 {
        let configuration = self[Register.configuration]
        let source: UInt64 =
            switch configuration & 3 {
            case 1: crystal
            case 2: pll
            default: Self.internal16
            }
        let prescaler = configuration >> 4 & 0xF
        let shifts: [UInt64] = [1, 2, 3, 4, 6, 7, 8, 9]
        return max(source >> (prescaler < 8 ? 0 : shifts[Int(prescaler - 8)]), 31_250)
    }

    private var pll: UInt64 {
        let value = self[Register.pll]
        let source = value & 1 << 22 != 0 ? crystal : Self.internal16
        let divider = UInt64(max(value & 0x3F, 1))
        return source / divider * UInt64(value >> 6 & 0x1FF) / UInt64((value >> 16 & 3) * 2 + 2)
    }

    /// Twice a divided bus clock (RM0090 figure 21).
    func timerFrequency(apb2: Bool) -> UInt64 {
        let divisor = divisor(apb2: apb2)
        return coreFrequency / divisor * (divisor == 1 ? 1 : 2)
    }

    /// PCLK2; the converters divide it by ADCPRE themselves, by 2 at least.
    var converterFrequency: UInt64 { coreFrequency / divisor(apb2: true) / 2 }

    private func divisor(apb2: Bool) -> UInt64 {
        let prescaler = self[Register.configuration] >> (apb2 ? 13 : 10) & 7
        return prescaler < 4 ? 1 : 2 << UInt64(prescaler - 4)
    }
}

/// RTC of F0 and F3: a calendar that starts at 2000-01-01 and runs in virtual time; backup registers (RM0091 chapter 26).
final class RealTimeClock: RegisterBlock {
    private let clock: VirtualClock
    private var isUnlocked = 0
    private var epoch: UInt64 = 0
    /// Time and date as last written, as seconds of that day.
    private var startSeconds: UInt64 = 0

    init(clock: VirtualClock) {
        self.clock = clock
        super.init("RTC", base: 0x4000_2800)
        self[0x04] = 0x2101
        self[0x0C] = 0x07
        self[0x10] = 0x007F_00FF
    }

    /// The backup domain survives a system reset.
    override func reset() { isUnlocked = 0 }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x00: return time
        // RSF, and INITF as INIT asks; write flags say that everything may be written.
        case 0x0C: return self[0x0C] & 0x80 | 0x27 | (self[0x0C] & 0x80) >> 1
        case 0x28: return 255 - UInt32((clock.nanoseconds &- epoch) / 3_906_250 % 256)
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x24:
            isUnlocked = value & 0xFF == 0xCA ? 1 : isUnlocked == 1 && value & 0xFF == 0x53 ? 2 : 0
        case 0x0C: keep(offset, value & 0x80, mask: mask)
        case 0x00 where isUnlocked == 2:
            epoch = clock.nanoseconds
            startSeconds =
                UInt64(decimal(value >> 16 & 0x3F)) * 3600 + UInt64(decimal(value >> 8 & 0x7F)) * 60
                + UInt64(decimal(value & 0x7F))
        case 0x00: break
        default: keep(offset, value, mask: mask)
        }
    }

    private var time: UInt32 {
        let seconds = (startSeconds + (clock.nanoseconds &- epoch) / 1_000_000_000) % 86_400
        return coded(UInt32(seconds / 3600)) << 16 | coded(UInt32(seconds / 60 % 60)) << 8 | coded(UInt32(seconds % 60))
    }

    private func coded(_ value: UInt32) -> UInt32 { value / 10 << 4 | value % 10 }
    private func decimal(_ value: UInt32) -> UInt32 { (value >> 4) * 10 + value & 0xF }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x00 && offset != 0x28 }
}

/// RTC of F1: a 32-bit counter of seconds (RM0008 chapter 18). It is in the backup domain.
final class RealTimeClockF1: RegisterBlock {
    private let clock: VirtualClock
    private var epoch: UInt64 = 0
    private var start: UInt32 = 0

    init(clock: VirtualClock) {
        self.clock = clock
        super.init("RTC", base: 0x4000_2800)
    }

    override func reset() {}

    private var count: UInt32 {
        // The prescaler is set for one count a second by all firmware that uses a 32.768 kHz crystal.
        start &+ UInt32(truncatingIfNeeded: (clock.nanoseconds &- epoch) / 1_000_000_000)
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x04: 0x28 | self[0x04] & 0x17
        case 0x18: count >> 16
        case 0x1C: count & 0xFFFF
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x18:
            start = count & 0xFFFF | value << 16
            epoch = clock.nanoseconds
        case 0x1C:
            start = count & 0xFFFF_0000 | value & 0xFFFF
            epoch = clock.nanoseconds
        default: keep(offset, value, mask: mask)
        }
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x18 && offset != 0x1C }
}

/// BKP of F1: data registers that survive a reset; bootloaders leave notes there (RM0008 chapter 6).
final class BackupRegisters: RegisterBlock {
    init() { super.init("BKP", base: 0x4000_6C00) }

    override func reset() {}
    override func isPlain(_ offset: UInt32) -> Bool { true }
}

/// PWR: voltage and sleep control; only its flags' clear bits do something (RM0091 chapter 5).
final class PowerControl: RegisterBlock {
    private let readyFlags: UInt32

    /// - Parameter readyFlags: bits of CSR that are always set: VOSRDY and BRR of F4.
    init(readyFlags: UInt32 = 0) {
        self.readyFlags = readyFlags
        super.init("PWR", base: 0x4000_7000)
    }

    override func load(_ offset: UInt32) -> UInt32 { offset == 4 ? self[4] | readyFlags : self[offset] }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        // CWUF and CSBF read as 0.
        keep(offset, offset == 0 ? value & ~0xC : value, mask: mask)
        if offset == 0, value & 4 != 0 { self[0x04] &= ~1 }
    }
}

/// CRS: trims HSI48 by start of frame; here it is always in tune (RM0091 chapter 7).
final class ClockRecovery: RegisterBlock {
    init() { super.init("CRS", base: 0x4000_6C00) }

    override func reset() {
        super.reset()
        self[0x00] = 0x2000
        self[0x04] = 0x2022_BB7F
    }

    override func load(_ offset: UInt32) -> UInt32 {
        // SYNCOK while automatic trimming is on.
        offset == 0x08 && self[0x00] & 0x60 != 0 ? self[0x08] | 1 : self[offset]
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00: keep(offset, value & ~0x80, mask: mask)
        case 0x08, 0x0C: break
        default: keep(offset, value, mask: mask)
        }
    }
}

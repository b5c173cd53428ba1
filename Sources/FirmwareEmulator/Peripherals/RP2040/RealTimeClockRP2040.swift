/// RTC of the RP2040 (datasheet 4.8): counts seconds from what LOAD set. Without calendar beyond the day, and without
/// alarms.
final class RealTimeClockRP2040: AtomicRegisterBlock {
    private enum Register {
        static let date: UInt32 = 0x04, time: UInt32 = 0x08, control: UInt32 = 0x0C
        static let dateNow: UInt32 = 0x18, timeNow: UInt32 = 0x1C
    }

    private let clock: VirtualClock
    private var since: UInt64 = 0
    private var loaded: (date: UInt32, seconds: UInt64) = (0, 0)

    init(clock: VirtualClock) {
        self.clock = clock
        super.init("RTC", base: 0x4005_C000)
    }

    private var seconds: UInt64 { loaded.seconds + (clock.nanoseconds &- since) / 1_000_000_000 }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        // RTC_ACTIVE follows RTC_ENABLE.
        case Register.control: return self[offset] & 0x101 | (self[offset] & 1) << 1
        case Register.dateNow: return loaded.date
        case Register.timeNow:
            let day = UInt32(seconds % 86_400)
            return day / 3600 << 16 | day / 60 % 60 << 8 | day % 60
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        keep(offset, value, operation)
        guard offset == Register.control, self[offset] & 0x10 != 0 else { return }
        self[offset] &= ~0x10
        let time = self[Register.time]
        loaded = (
            self[Register.date], UInt64(time >> 16 & 0x1F) * 3600 + UInt64(time >> 8 & 0x3F) * 60 + UInt64(time & 0x3F)
        )
        since = clock.nanoseconds
    }

    override func isSteady(_ offset: UInt32) -> Bool { offset != Register.timeNow }
}

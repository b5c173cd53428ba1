/// DWT at 0xE0001000: the cycle counter, which firmware uses for delays. The rest ignores writes and reads as 0, which
/// for the lock status register, at the end of the page, is: not locked (ARMv7-M ARM C1.8, CoreSight).
final class DataWatchpointUnit: Peripheral {
    let name = "DWT"
    let base: UInt32 = 0xE000_1000
    let size: UInt32 = 0x1000

    private unowned let clock: VirtualClock
    private var control: UInt32 = 0
    private var start: UInt64 = 0
    private var held: UInt32 = 0

    init(clock: VirtualClock) { self.clock = clock }

    private var isCounting: Bool { control & 1 != 0 }
    private var count: UInt32 { isCounting ? UInt32(truncatingIfNeeded: clock.now &- start) : held }

    func reset() {
        control = 0
        held = 0
    }

    func isStable(_ offset: UInt32) -> Bool { offset & ~3 != 4 || !isCounting }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 {
        switch offset & ~3 {
        case 0: 0x4000_0000 | control
        case 4: count >> ((offset & 3) * 8)
        default: 0
        }
    }

    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        let present = count
        switch offset {
        case 0:
            control = value & 0x0FFF_FFFF
            held = present
            start = clock.now &- UInt64(present)
        case 4:
            held = value
            start = clock.now &- UInt64(value)
        default: break
        }
    }
}

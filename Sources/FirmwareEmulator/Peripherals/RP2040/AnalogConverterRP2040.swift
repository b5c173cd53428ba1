/// ADC of the RP2040 (datasheet 4.9): a conversion takes 2 µs, or what DIV says when it repeats.
final class AnalogConverterRP2040: AtomicRegisterBlock {
    private enum Register {
        static let control: UInt32 = 0x00, result: UInt32 = 0x04, queueControl: UInt32 = 0x08, queue: UInt32 = 0x0C
        static let divider: UInt32 = 0x10, raw: UInt32 = 0x14, enable: UInt32 = 0x18, force: UInt32 = 0x1C
        static let status: UInt32 = 0x20
    }

    private static let depth = 4
    private static let temperatureChannel: UInt32 = 4
    private let clock: VirtualClock
    private let interrupts: any InterruptLines
    private let sample: () -> UInt16
    private var event: ClockEvent?
    private var results: [UInt16] = []
    private var flags: UInt32 = 0
    /// Called when there is a result in the queue.
    var onResult: () -> Void = {}

    init(clock: VirtualClock, interrupts: any InterruptLines, sample: @escaping () -> UInt16) {
        self.clock = clock
        self.interrupts = interrupts
        self.sample = sample
        super.init("ADC", base: 0x4004_C000)
        event = clock.event("ADC") { [unowned self] in finish() }
    }

    override func reset() {
        super.reset()
        results = []
        flags = 0
        event?.cancel()
        updateLine()
    }

    var hasResults: Bool { !results.isEmpty }
    private var isConverting: Bool { event?.due != nil }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.control: return self[offset] & 0x1F_F00B | (isConverting ? 0 : 1 << 8)
        case Register.queueControl:
            return self[offset] & 0x0F00_000F | (results.isEmpty ? 1 << 8 : 0)
                | (results.count == Self.depth ? 1 << 9 : 0) | flags | UInt32(results.count) << 16
        case Register.queue:
            guard !results.isEmpty else {
                flags |= 1 << 10
                return 0
            }
            let value = results.removeFirst()
            updateLine()
            return UInt32(value)
        case Register.raw: return isReached ? 1 : 0
        case Register.status: return (isReached ? 1 : 0) & self[Register.enable] | self[Register.force]
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        switch offset {
        case Register.result, Register.queue, Register.raw, Register.status: return
        case Register.queueControl:
            if operation != .set || value & 0xC00 != 0 { flags &= ~(value & 0xC00) }
            keep(offset, value & ~0xFF0F00 | self[offset] & 0, operation)
        default: keep(offset, value, operation)
        }
        if offset == Register.control {
            let control = self[offset]
            self[offset] &= ~4
            let isOn = control & 1 == 1
            if isOn, control & 0xC != 0, !isConverting { start() }
            if !isOn || control & 0xC == 0 { event?.cancel() }
        }
        updateLine()
    }

    /// 96 cycles of 48 MHz.
    private func start() {
        let pause = UInt64(self[Register.divider] >> 8)
        event?.schedule(after: clock.cycles(nanoseconds: max(96, pause + 1) * 1_000_000_000 / 48_000_000) + 1)
    }

    private func finish() {
        let control = self[Register.control]
        let channel = control >> 12 & 7
        // 27 °C is 0.706 V of 3.3.
        let value = channel == Self.temperatureChannel ? 876 : sample()
        self[Register.result] = UInt32(value)
        if self[Register.queueControl] & 1 == 1 {
            let shift: UInt16 = self[Register.queueControl] & 2 != 0 ? 4 : 0
            if results.count < Self.depth { results.append(value >> shift) } else { flags |= 1 << 11 }
            onResult()
        }
        let mask = control >> 16 & 0x1F
        if mask != 0 {
            var next = (channel + 1) % 5
            while mask >> next & 1 == 0 { next = (next + 1) % 5 }
            self[Register.control] = control & ~0x7000 | next << 12
        }
        if control & 8 != 0 { start() }
        updateLine()
    }

    private var isReached: Bool {
        let threshold = Int(self[Register.queueControl] >> 24 & 0xF)
        return !results.isEmpty && results.count >= threshold
    }

    private func updateLine() { interrupts.setLine(22, load(Register.status) & 1 == 1) }

    override func isSteady(_ offset: UInt32) -> Bool { offset != Register.queue }
}

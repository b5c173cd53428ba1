/// ADC of F0 (RM0091 chapter 13). Conversions take their time; inputs are what the board says, else noise around the
/// middle. Calibration and start-up are instant; hardware triggers are taken as given at once.
final class AnalogConverter: RegisterBlock {
    /// What the converter is clocked by, and what it shares with others.
    struct Surroundings {
        let clock: VirtualClock
        let interrupts: any InterruptLines
        let irq: Int
        let dma: DMAController?
        /// PCLK in hertz for F0, ADCCLK for F1.
        let frequency: () -> UInt64
        let sample: (_ channel: Int) -> UInt16
        /// Nobody uses the device.
        let isUnwatched: () -> Bool

        /// Firmware that converts without pause would keep a core of the host busy for values that nobody looks at: while
        /// the device is unwatched a conversion lasts a millisecond.
        func schedule(_ end: ClockEvent?, after cycles: UInt64) {
            end?.schedule(after: isUnwatched() ? max(cycles, clock.cycles(nanoseconds: 1_000_000)) : cycles)
        }
    }

    private let surroundings: Surroundings
    /// Channels still to be converted of the present sequence.
    private var sequence: [Int] = []
    private var end: ClockEvent?
    /// The next conversion waits for the last one's result to be taken.
    private var isHeld = false

    init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
        super.init("ADC", base: 0x4001_2400)
        end = surroundings.clock.event("ADC") { [unowned self] in converted() }
    }

    private enum Register {
        static let status: UInt32 = 0x00, enable: UInt32 = 0x04, control: UInt32 = 0x08, configuration: UInt32 = 0x0C
        static let clock: UInt32 = 0x10, sampling: UInt32 = 0x14, channels: UInt32 = 0x28, data: UInt32 = 0x40
    }

    private enum Status {
        static let ready: UInt32 = 1 << 0, endOfSampling: UInt32 = 1 << 1, endOfConversion: UInt32 = 1 << 2
        static let endOfSequence: UInt32 = 1 << 3, overrun: UInt32 = 1 << 4
        static let clearable: UInt32 = 0x9F
        /// With these set nothing more can be seen of a converter that goes on.
        static let saturated = endOfConversion | endOfSequence | overrun
    }

    private enum Control {
        static let enable: UInt32 = 1 << 0, disable: UInt32 = 1 << 1, start: UInt32 = 1 << 2, stop: UInt32 = 1 << 4
        static let calibrate: UInt32 = 1 << 31
    }

    private enum Configuration {
        static let dma: UInt32 = 1 << 0, backward: UInt32 = 1 << 2, leftAligned: UInt32 = 1 << 5
        static let overwrites: UInt32 = 1 << 12, continuous: UInt32 = 1 << 13, waits: UInt32 = 1 << 14
        static let discontinuous: UInt32 = 1 << 16
    }

    private func isConfigured(_ bit: UInt32) -> Bool { self[Register.configuration] & bit != 0 }
    private var resolution: UInt32 { self[Register.configuration] >> 3 & 3 }
    private var isStarted: Bool { self[Register.control] & Control.start != 0 }

    override func reset() {
        super.reset()
        halt()
        updateLine()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == Register.data else { return self[offset] }
        let value = self[Register.data]
        self[Register.status] &= ~Status.endOfConversion
        resume()
        updateLine()
        return value
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case Register.status:
            self[Register.status] &= ~(value & mask)
            resume()
        case Register.control: control(value & mask)
        case Register.data: break
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    private func control(_ value: UInt32) {
        // ADCAL ends at once; ADDIS clears ADEN and itself; ADSTP ends conversions and itself.
        if value & Control.enable != 0 {
            self[Register.control] |= Control.enable
            self[Register.status] |= Status.ready
        }
        if value & Control.disable != 0 {
            self[Register.control] &= ~(Control.enable | Control.start)
            self[Register.status] &= ~Status.ready
            halt()
        }
        if value & Control.stop != 0 {
            self[Register.control] &= ~Control.start
            halt()
        }
        if value & Control.start != 0, self[Register.control] & Control.enable != 0, !isStarted {
            self[Register.control] |= Control.start
            convert()
        }
    }

    // MARK: Conversions

    private func halt() {
        sequence = []
        isHeld = false
        end?.cancel()
    }

    /// Begins the conversion of the next selected channel.
    private func convert() {
        isHeld = false
        if sequence.isEmpty {
            sequence = (0..<19).filter { self[Register.channels] >> UInt32($0) & 1 == 1 }
            if isConfigured(Configuration.backward) { sequence.reverse() }
        }
        guard !sequence.isEmpty else {
            self[Register.control] &= ~Control.start
            return
        }
        surroundings.schedule(
            end,
            after: ConversionTime.cycles(
                sampling: self[Register.sampling], resolution: resolution, converterHertz: frequency,
                hertz: surroundings.clock.hertz))
    }

    /// CKMODE: HSI14, or PCLK divided by 2 or 4.
    private var frequency: UInt64 {
        switch self[Register.clock] >> 30 {
        case 1: surroundings.frequency() / 2
        case 2: surroundings.frequency() / 4
        default: 14_000_000
        }
    }

    private func converted() {
        guard isStarted, let channel = sequence.first else { return }
        sequence.removeFirst()
        if self[Register.status] & Status.endOfConversion == 0 || isConfigured(Configuration.overwrites) {
            self[Register.data] = aligned(UInt32(surroundings.sample(channel)))
        }
        if self[Register.status] & Status.endOfConversion != 0 { self[Register.status] |= Status.overrun }
        self[Register.status] |= Status.endOfConversion | Status.endOfSampling
        if sequence.isEmpty { self[Register.status] |= Status.endOfSequence }
        // DMA takes the result by reading it, which clears EOC.
        if isConfigured(Configuration.dma) { surroundings.dma?.request(channel: 1) }
        let isOver = sequence.isEmpty && !isConfigured(Configuration.continuous)
        if isOver || isConfigured(Configuration.discontinuous) {
            self[Register.control] &= ~Control.start
        } else if mustWait {
            isHeld = true
        } else {
            convert()
        }
        updateLine()
    }

    /// WAIT asks for it; a converter that nobody listens to need not be followed.
    private var mustWait: Bool {
        let status = self[Register.status]
        return isConfigured(Configuration.waits) && status & Status.endOfConversion != 0
            || status & Status.saturated == Status.saturated
    }

    private func resume() { if isHeld, isStarted, !mustWait { convert() } }

    private func aligned(_ sample: UInt32) -> UInt32 {
        let value = sample >> (resolution * 2)
        guard isConfigured(Configuration.leftAligned) else { return value }
        return value << (resolution == 3 ? 2 : 4 + resolution * 2)
    }

    // MARK: Idle loops

    override func isStable(_ offset: UInt32) -> Bool {
        offset != Register.data || self[Register.status] & Status.endOfConversion == 0
    }

    override func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        let bits = value << (8 * (offset & 3))
        switch offset & ~3 {
        case Register.status: return self[Register.status] & bits & Status.clearable == 0
        case Register.control:
            let commands = Control.disable | Control.stop | Control.calibrate
            let repeated = self[Register.control] & (Control.enable | Control.start)
            let isReady = self[Register.status] & Status.ready != 0 || bits & Control.enable == 0
            return bits & commands == 0 && bits & ~repeated == 0 && isReady
        default: return super.isNeutral(offset, width: width, value: value)
        }
    }

    private func updateLine() {
        let isHigh = self[Register.status] & self[Register.enable] & Status.clearable != 0
        surroundings.interrupts.setLine(surroundings.irq, isHigh)
    }
}

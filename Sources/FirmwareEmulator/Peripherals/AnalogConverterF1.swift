/// ADC of F1 (RM0008 chapter 11). Conversions of the regular group take their time; those of the injected group and
/// calibration are instant, and hardware triggers are not followed.
final class AnalogConverterF1: RegisterBlock {
    private let surroundings: AnalogConverter.Surroundings
    private var sequence: [Int] = []
    private var end: ClockEvent?
    /// Nothing more can be seen of a continuous converter before its result is taken.
    private var isHeld = false

    init(_ name: String, base: UInt32, _ surroundings: AnalogConverter.Surroundings) {
        self.surroundings = surroundings
        super.init(name, base: base)
        end = surroundings.clock.event(name) { [unowned self] in converted() }
        surroundings.dma?.onEnable.append { [unowned self] channel in
            guard channel == 1, isHeld, isSet(Control2.dma) else { return }
            begin()
        }
    }

    private enum Register {
        static let status: UInt32 = 0x00, control1: UInt32 = 0x04, control2: UInt32 = 0x08, data: UInt32 = 0x4C
        /// Channels 10 and up; 0 to 9.
        static let samplingHigh: UInt32 = 0x0C, samplingLow: UInt32 = 0x10
        static let sequence1: UInt32 = 0x2C, sequence2: UInt32 = 0x30, sequence3: UInt32 = 0x34
    }

    private enum Status {
        static let endOfConversion: UInt32 = 1 << 1, started: UInt32 = 1 << 4
    }

    private enum Control2 {
        static let on: UInt32 = 1 << 0, continuous: UInt32 = 1 << 1, dma: UInt32 = 1 << 8
        static let leftAligned: UInt32 = 1 << 11, triggered: UInt32 = 1 << 20, injectedStart: UInt32 = 1 << 21
        static let start: UInt32 = 1 << 22
        static let calibration: UInt32 = 0xC
    }

    private func isSet(_ bit: UInt32) -> Bool { self[Register.control2] & bit != 0 }

    override func reset() {
        super.reset()
        halt()
        updateLine()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == Register.data else { return self[offset] }
        let value = self[Register.data]
        self[Register.status] &= ~Status.endOfConversion
        if isHeld { begin() }
        updateLine()
        return value
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case Register.status:
            self[Register.status] &= value | ~mask
            if isHeld, self[Register.status] & Status.endOfConversion == 0 { begin() }
        case Register.control2: control(value, mask: mask)
        case Register.data: break
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    private func control(_ value: UInt32, mask: UInt32) {
        let before = self[Register.control2]
        let commands = Control2.calibration | Control2.start | Control2.injectedStart
        keep(Register.control2, value & ~commands, mask: mask)
        self[Register.control2] &= ~commands
        guard isSet(Control2.on) else { return halt() }
        // ADON written again starts too, when nothing else in the register changes (RM0008 section 11.3.4).
        let isRepeated =
            before & Control2.on != 0 && value & mask & Control2.on != 0
            && self[Register.control2] == before && !isSet(Control2.triggered)
        if value & mask & Control2.injectedStart != 0 {
            InjectedConversions.convert(self, sample: surroundings.sample)
            return
        }
        if value & mask & Control2.start != 0 || isRepeated { begin() }
    }

    // MARK: Conversions

    private func halt() {
        sequence = []
        isHeld = false
        end?.cancel()
    }

    /// Starts the regular group from its first channel, SQR3 to SQR1.
    private func begin() {
        let isScanning = self[Register.control1] & (1 << 8) != 0
        let count = isScanning ? Int(self[Register.sequence1] >> 20 & 0xF) + 1 : 1
        sequence = (0..<count).map { position in
            let register =
                position < 6 ? Register.sequence3 : position < 12 ? Register.sequence2 : Register.sequence1
            return Int(self[register] >> UInt32(position % 6 * 5) & 0x1F)
        }
        self[Register.status] |= Status.started
        convert()
    }

    private func convert() {
        isHeld = false
        guard let channel = sequence.first else { return }
        let code =
            channel < 10
            ? self[Register.samplingLow] >> UInt32(channel * 3)
            : self[Register.samplingHigh] >> UInt32(min(channel - 10, 7) * 3)
        surroundings.schedule(
            end,
            after: ConversionTime.cycles(
                sampling: code, converterHertz: surroundings.frequency(), hertz: surroundings.clock.hertz))
    }

    private func converted() {
        guard isSet(Control2.on), let channel = sequence.first else { return }
        sequence.removeFirst()
        self[Register.data] = UInt32(surroundings.sample(channel)) << (isSet(Control2.leftAligned) ? 4 : 0)
        // EOC is the group's; DMA takes each result, and clears EOC by reading the last one.
        let wasTaken = self[Register.status] & Status.endOfConversion == 0
        if sequence.isEmpty { self[Register.status] |= Status.endOfConversion }
        if isSet(Control2.dma) { surroundings.dma?.request(channel: 1) }
        if !sequence.isEmpty {
            convert()
        } else if isSet(Control2.continuous) {
            if wasTaken { begin() } else { isHeld = true }
        }
        updateLine()
    }

    // MARK: Idle loops

    override func isStable(_ offset: UInt32) -> Bool {
        offset != Register.data || self[Register.status] & Status.endOfConversion == 0
    }

    override func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        guard offset & ~3 == Register.status else { return super.isNeutral(offset, width: width, value: value) }
        let shift = 8 * (offset & 3)
        return self[Register.status] & ~(value << shift) & width.mask << shift == 0
    }

    private func updateLine() {
        // EOCIE 5, AWDIE 6, JEOCIE 7 of CR1.
        let status = self[Register.status], enabled = self[Register.control1]
        let isHigh =
            status & 2 != 0 && enabled & 0x20 != 0 || status & 1 != 0 && enabled & 0x40 != 0
            || status & 4 != 0 && enabled & 0x80 != 0
        surroundings.interrupts.setLine(surroundings.irq, isHigh)
    }
}

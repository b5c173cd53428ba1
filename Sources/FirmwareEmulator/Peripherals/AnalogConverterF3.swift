/// ADC of F3 (RM0316 chapter 15): the regular group, started by software and done at once; calibration and start-up are
/// instant.
final class AnalogConverterF3: RegisterBlock {
    private enum Register {
        static let status: UInt32 = 0x00, enable: UInt32 = 0x04, control: UInt32 = 0x08, configuration: UInt32 = 0x0C
        static let sequence1: UInt32 = 0x30, data: UInt32 = 0x40
    }

    private enum Status {
        static let ready: UInt32 = 1 << 0, endOfConversion: UInt32 = 1 << 2, endOfSequence: UInt32 = 1 << 3
    }

    private enum Control {
        static let enable: UInt32 = 1 << 0, disable: UInt32 = 1 << 1, start: UInt32 = 1 << 2, stop: UInt32 = 1 << 4
        static let calibrate: UInt32 = 1 << 31
    }

    private enum Configuration {
        static let dma: UInt32 = 1 << 0, leftAligned: UInt32 = 1 << 5, continuous: UInt32 = 1 << 13
    }

    private let surroundings: AnalogConverter.Surroundings
    /// Place in the regular sequence, 0…15.
    private var position = 0

    init(_ name: String, base: UInt32, _ surroundings: AnalogConverter.Surroundings) {
        self.surroundings = surroundings
        super.init(name, base: base, size: 0x100)
    }

    private func isConfigured(_ bit: UInt32) -> Bool { self[Register.configuration] & bit != 0 }
    private var isStarted: Bool { self[Register.control] & Control.start != 0 }

    override func reset() {
        super.reset()
        position = 0
        updateLine()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == Register.data else { return self[offset] }
        let value = self[Register.data]
        let wasDone = self[Register.status] & Status.endOfConversion != 0
        self[Register.status] &= ~Status.endOfConversion
        // The next conversion was only waiting for room.
        if wasDone, isStarted, !isConfigured(Configuration.dma) { convert() }
        updateLine()
        return value
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case Register.status: self[Register.status] &= ~(value & mask)
        case Register.control: control(value, mask: mask)
        case Register.data: break
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    private func control(_ value: UInt32, mask: UInt32) {
        let commands = Control.enable | Control.disable | Control.start | Control.stop | Control.calibrate
        let state = self[Register.control] & (Control.enable | Control.start)
        keep(Register.control, value & ~commands, mask: mask)
        self[Register.control] |= state
        if value & Control.enable != 0 {
            self[Register.control] |= Control.enable
            self[Register.status] |= Status.ready
        }
        if value & Control.disable != 0 {
            self[Register.control] &= ~(Control.enable | Control.start)
            self[Register.status] &= ~Status.ready
        }
        if value & Control.stop != 0 { self[Register.control] &= ~Control.start }
        if value & Control.start != 0, self[Register.control] & Control.enable != 0, !isStarted {
            self[Register.control] |= Control.start
            position = 0
            convert()
        }
    }

    /// Converts what the sequence has at its present place; DMA takes each result at once.
    private func convert() {
        repeat {
            let last = Int(self[Register.sequence1] & 0xF)
            // SQ1 is in bits 10…6 of SQR1, and five ranks are in each register.
            let place = position + 1
            let channel = self[Register.sequence1 + UInt32(place / 5) * 4] >> UInt32(place % 5 * 6) & 0x1F
            self[Register.data] =
                UInt32(surroundings.sample(Int(channel))) << (isConfigured(Configuration.leftAligned) ? 4 : 0)
            self[Register.status] |= Status.endOfConversion
            if position >= last {
                position = 0
                self[Register.status] |= Status.endOfSequence
                if !isConfigured(Configuration.continuous) { self[Register.control] &= ~Control.start }
            } else {
                position += 1
            }
        } while isConfigured(Configuration.dma) && surroundings.dma?.request(channel: 1) == true && isStarted
    }

    override func isStable(_ offset: UInt32) -> Bool {
        offset != Register.data || self[Register.status] & Status.endOfConversion == 0
    }

    private func updateLine() {
        surroundings.interrupts.setLine(
            surroundings.irq, self[Register.status] & self[Register.enable] & 0x7FF != 0)
    }
}

/// ADC of F4 (RM0090 chapter 13): single conversions of the regular group, and the injected group, started by software
/// and done at once.
final class AnalogConverterF4: RegisterBlock {
    private enum Register {
        static let status: UInt32 = 0x00, control1: UInt32 = 0x04, control2: UInt32 = 0x08
        static let sequence3: UInt32 = 0x34, data: UInt32 = 0x4C
    }

    private static let endOfConversion: UInt32 = 1 << 1
    private static let started: UInt32 = 1 << 4
    private static let start: UInt32 = 1 << 30, injectedStart: UInt32 = 1 << 22

    private let surroundings: AnalogConverter.Surroundings

    init(_ name: String, base: UInt32, _ surroundings: AnalogConverter.Surroundings) {
        self.surroundings = surroundings
        super.init(name, base: base, size: 0x100)
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == Register.data else { return self[offset] }
        self[Register.status] &= ~Self.endOfConversion
        // Continuous conversion: the next one is done.
        if self[Register.control2] & 3 == 3 { convert() }
        updateLine()
        return self[Register.data]
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case Register.status: self[Register.status] &= value | ~mask
        case Register.control2:
            keep(offset, value & ~(Self.start | Self.injectedStart), mask: mask)
            if value & mask & Self.start != 0, self[offset] & 1 != 0 { convert() }
            if value & mask & Self.injectedStart != 0, self[offset] & 1 != 0 {
                InjectedConversions.convert(self, sample: surroundings.sample)
            }
        case Register.data: break
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    private func convert() {
        let channel = Int(self[Register.sequence3] & 0x1F)
        let shift: UInt32 = self[Register.control2] & 1 << 11 != 0 ? 4 : 0
        self[Register.data] = UInt32(surroundings.sample(channel)) << shift
        self[Register.status] |= Self.endOfConversion | Self.started
    }

    override func isStable(_ offset: UInt32) -> Bool {
        offset != Register.data || self[Register.status] & Self.endOfConversion == 0
    }

    private func updateLine() {
        let status = self[Register.status], enabled = self[Register.control1]
        surroundings.interrupts.setLine(
            surroundings.irq,
            status & Self.endOfConversion != 0 && enabled & 0x20 != 0
                || status & InjectedConversions.end != 0 && enabled & InjectedConversions.interruptEnable != 0)
    }
}

/// The injected group of F1's and F4's ADC, started by software and done at once (RM0008 section 11.3.9, RM0090 section
/// 13.3.9).
enum InjectedConversions {
    /// JEOC and JSTRT of the status register.
    static let end: UInt32 = 1 << 2, started: UInt32 = 1 << 3
    /// JEOCIE of CR1.
    static let interruptEnable: UInt32 = 1 << 7

    private static let status: UInt32 = 0x00, control2: UInt32 = 0x08, offsets: UInt32 = 0x14
    private static let sequence: UInt32 = 0x38, data: UInt32 = 0x3C

    /// Converts the channels of JSQR, whose last is always in the highest field, into JDR1 and on.
    static func convert(_ registers: RegisterBlock, sample: (Int) -> UInt16) {
        let sequence = registers[sequence]
        let count = sequence >> 20 & 3 + 1
        let shift: Int32 = registers[control2] & 1 << 11 != 0 ? 3 : 0
        for index in 0..<count {
            let channel = Int(sequence >> ((4 - count + index) * 5) & 0x1F)
            let value = Int32(sample(channel)) - Int32(registers[offsets + index * 4] & 0xFFF)
            registers[data + index * 4] = UInt32(bitPattern: value << shift) & 0xFFFF
        }
        registers[status] |= end | started
    }
}

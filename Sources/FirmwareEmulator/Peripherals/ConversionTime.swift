/// How long a successive-approximation converter of ST's takes for one channel (RM0091 section 13.5.3, RM0008 11.6).
enum ConversionTime {
    /// Sampling times by their 3-bit code, in halves of an ADC clock cycle: 1.5 to 239.5 cycles.
    private static let sampling: [UInt64] = [3, 15, 27, 57, 83, 111, 143, 479]
    /// The conversion behind it by the code of its resolution, 12 to 6 bits: 12.5 to 7.5 cycles.
    private static let conversion: [UInt64] = [25, 23, 19, 15]

    /// Cycles of a CPU at `hertz` that sampling and conversion take with an ADC clock of `converterHertz`.
    static func cycles(
        sampling code: UInt32, resolution: UInt32 = 0, converterHertz: UInt64, hertz: UInt64
    ) -> UInt64 {
        let halves = sampling[Int(code & 7)] + conversion[Int(resolution & 3)]
        // Both are far below 2^40, so the product fits.
        return max(1, halves * hertz / (2 * max(converterHertz, 1)))
    }
}

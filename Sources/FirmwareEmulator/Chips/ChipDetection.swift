/// Guesses the chip from the image's vector table, where format and family do not tell.
enum ChipDetection {
    /// Nothing but a family of one size is certain: what is returned runs the image if the guess is right.
    static func hint(for image: FirmwareImage) -> ChipHint? {
        guard let start = image.lowestAddress else { return nil }
        if start >= 0x1000_0000, start < 0x1100_0000 { return .chip("rp2040") }
        guard start >= STM32Description.flashBase, start < STM32Description.flashBase + 0x10_0000,
            let stack = image.word(at: start), let entry = image.word(at: start + 4),
            entry & 1 == 1, stack & 3 == 0, stack > STM32Description.memoryBase
        else { return nil }
        let memory = stack - STM32Description.memoryBase
        // Cortex-M0 has 32 interrupts and no handlers for MemManage, BusFault and UsageFault.
        let isM0 = (4...6).allSatisfy { image.word(at: start + UInt32($0) * 4) == 0 } && image.word(at: start + 48) == 0
        // The stack starts at the end of memory or below: the smallest chip that has room for stack and image.
        switch (isM0, memory) {
        case (true, ...0x1800) where image.byteCount <= 0x8000: return .chip("stm32f042")
        case (true, ...0x4000): return .chip("stm32f072")
        case (false, ...0x5000): return .chip("stm32f103cb")
        case (false, 0xA000): return .chip("stm32f303xc")
        case (false, 0x1_0000): return .chip("stm32f303xe")
        case (false, 0x1_8000): return .chip("stm32f401")
        default: return nil
        }
    }
}

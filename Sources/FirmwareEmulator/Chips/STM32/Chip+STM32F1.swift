extension Chip {
    private static let f1Peripherals: [PeripheralDescription] =
        (0..<5).map { .gpio(port: $0, 0x4001_0800 + UInt32($0) * 0x400) } + [
            .timer("TIM1", 0x4001_2C00, irqs: [25], apb2: true), .timer("TIM2", 0x4000_0000, irqs: [28]),
            .timer("TIM3", 0x4000_0400, irqs: [29]), .timer("TIM4", 0x4000_0800, irqs: [30]),
            .usart("USART1", 0x4001_3800, irq: 37), .usart("USART2", 0x4000_4400, irq: 38),
            .usart("USART3", 0x4000_4800, irq: 39), .i2c("I2C1", 0x4000_5400, irq: 31),
            .i2c("I2C2", 0x4000_5800, irq: 33),
            .spi("SPI1", 0x4001_3000), .spi("SPI2", 0x4000_3800), .adc("ADC1", 0x4001_2400), .adc("ADC2", 0x4001_2800),
            .can, .backup,
        ]

    /// What high-density chips have more.
    private static let f1MorePeripherals: [PeripheralDescription] =
        (5..<7).map { .gpio(port: $0, 0x4001_0800 + UInt32($0) * 0x400) } + [
            .timer("TIM5", 0x4000_0C00, irqs: [50]), .timer("TIM6", 0x4000_1000, irqs: [54]),
            .timer("TIM7", 0x4000_1400, irqs: [55]), .timer("TIM8", 0x4001_3400, irqs: [44], apb2: true),
            .usart("UART4", 0x4000_4C00, irq: 52), .usart("UART5", 0x4000_5000, irq: 53), .spi("SPI3", 0x4000_3C00),
            .adc("ADC3", 0x4001_3C00),
        ]

    /// - Parameter isHighDensity: 256 KiB of flash and more, in pages of 2 KiB.
    private static func f103(_ name: String, flash: UInt32, memory: UInt32 = 20, isHighDensity: Bool = false) -> Chip {
        Chip(
            name: name, core: .cortexM3, flash: flash << 10, memory: memory << 10,
            STM32Description(
                family: .f1, pageSize: isHighDensity ? 2048 : 1024, systemMemory: (0x1FFF_F000, 0x7E0),
                uniqueID: 0x1FFF_F7E8,
                flashSizeRegister: 0x1FFF_F7E0, identity: (0xE004_2000, isHighDensity ? 0x1003_6414 : 0x2003_6410),
                usb: .fsdev(.f1), interrupts: .f1, peripherals: f1Peripherals + (isHighDensity ? f1MorePeripherals : [])
            ))
    }

    static let stm32f103c8 = f103("stm32f103c8", flash: 64)
    static let stm32f103cb = f103("stm32f103cb", flash: 128)
    static let stm32f103rb = f103("stm32f103rb", flash: 128)
    static let stm32f103rc = f103("stm32f103rc", flash: 256, memory: 48, isHighDensity: true)
    static let stm32f103re = f103("stm32f103re", flash: 512, memory: 64, isHighDensity: true)
}

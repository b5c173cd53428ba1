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

    private static func f103(_ name: String, flash: UInt32) -> Chip {
        Chip(
            name: name, core: .cortexM3, family: .f1, flashSize: flash << 10, pageSize: 1 << 10, memorySize: 20 << 10,
            systemMemory: (0x1FFF_F000, 0x7E0), uniqueID: 0x1FFF_F7E8, flashSizeRegister: 0x1FFF_F7E0,
            identity: (0xE004_2000, 0x2003_6410), usb: .fsdev(.f1), interrupts: .f1, peripherals: f1Peripherals)
    }

    static let stm32f103c8 = f103("stm32f103c8", flash: 64)
    static let stm32f103cb = f103("stm32f103cb", flash: 128)
    static let stm32f103rb = f103("stm32f103rb", flash: 128)
}

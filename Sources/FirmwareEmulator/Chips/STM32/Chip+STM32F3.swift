extension Chip {
    private static let f3Peripherals: [PeripheralDescription] =
        (0..<6).map { .gpio(port: $0, 0x4800_0000 + UInt32($0) * 0x400) } + [
            .timer("TIM1", 0x4001_2C00, irqs: [25, 27], apb2: true),
            .timer("TIM2", 0x4000_0000, irqs: [28], is32Bit: true), .timer("TIM3", 0x4000_0400, irqs: [29]),
            .timer("TIM4", 0x4000_0800, irqs: [30]), .timer("TIM6", 0x4000_1000, irqs: [54]),
            .timer("TIM7", 0x4000_1400, irqs: [55]), .timer("TIM15", 0x4001_4000, irqs: [24], apb2: true),
            .timer("TIM16", 0x4001_4400, irqs: [25], apb2: true), .timer("TIM17", 0x4001_4800, irqs: [26], apb2: true),
            .usart("USART1", 0x4001_3800, irq: 37), .usart("USART2", 0x4000_4400, irq: 38),
            .usart("USART3", 0x4000_4800, irq: 39), .i2c("I2C1", 0x4000_5400, irq: 31),
            .i2c("I2C2", 0x4000_5800, irq: 33),
            .spi("SPI1", 0x4001_3000), .spi("SPI2", 0x4000_3800), .spi("SPI3", 0x4000_3C00), .can,
            .adc("ADC1", 0x5000_0000), .adc("ADC2", 0x5000_0100),
        ]

    private static func f303(
        _ name: String, flash: UInt32, memory: UInt32, code: UInt32, usb: FSDEV.Variant
    ) -> Chip {
        Chip(
            name: name, core: .cortexM4F, flash: flash << 10, memory: memory << 10,
            STM32Description(
                family: .f3, pageSize: 2 << 10, systemMemory: (0x1FFF_D800, 0x1FA0), uniqueID: 0x1FFF_F7AC,
                flashSizeRegister: 0x1FFF_F7CC, identity: (0xE004_2000, code), usb: .fsdev(usb), interrupts: .f3,
                peripherals: f3Peripherals))
    }

    static let stm32f303xc = f303("stm32f303xc", flash: 256, memory: 40, code: 0x2003_6422, usb: .f303xC)
    static let stm32f303xe = f303("stm32f303xe", flash: 512, memory: 64, code: 0x2003_6446, usb: .f303xE)
}

extension Chip {
    /// What F401, F405, F407 and F411 share.
    private static func f4Peripherals(ports: [Int]) -> [PeripheralDescription] {
        ports.map { .gpio(port: $0, 0x4002_0000 + UInt32($0) * 0x400) } + [
            .timer("TIM1", 0x4001_0000, irqs: [25, 27], apb2: true),
            .timer("TIM2", 0x4000_0000, irqs: [28], is32Bit: true), .timer("TIM3", 0x4000_0400, irqs: [29]),
            .timer("TIM4", 0x4000_0800, irqs: [30]), .timer("TIM5", 0x4000_0C00, irqs: [50], is32Bit: true),
            .timer("TIM9", 0x4001_4000, irqs: [24], apb2: true), .timer("TIM10", 0x4001_4400, irqs: [25], apb2: true),
            .timer("TIM11", 0x4001_4800, irqs: [26], apb2: true),
            .usart("USART1", 0x4001_1000, irq: 37), .usart("USART2", 0x4000_4400, irq: 38),
            .usart("USART6", 0x4001_1400, irq: 71), .i2c("I2C1", 0x4000_5400, irq: 31),
            .i2c("I2C2", 0x4000_5800, irq: 33), .i2c("I2C3", 0x4000_5C00, irq: 72),
            .spi("SPI1", 0x4001_3000), .spi("SPI2", 0x4000_3800), .spi("SPI3", 0x4000_3C00),
            .adc("ADC1", 0x4001_2000),
        ]
    }

    private static func f4(
        _ name: String, flash: UInt32, memory: UInt32, code: UInt32, coupled: UInt32 = 0,
        _ more: [PeripheralDescription] = [], ports: [Int]
    ) -> Chip {
        var description = STM32Description(
            family: .f4, pageSize: 16 << 10, systemMemory: (0x1FFF_0000, 0x7800), uniqueID: 0x1FFF_7A10,
            flashSizeRegister: 0x1FFF_7A22, identity: (0xE004_2000, code), usb: .otg, interrupts: .f4,
            peripherals: f4Peripherals(ports: ports) + more)
        if coupled > 0 { description.coupledMemory = (0x1000_0000, coupled << 10) }
        return Chip(name: name, core: .cortexM4F, flash: flash << 10, memory: memory << 10, description)
    }

    private static let smallPorts = [0, 1, 2, 3, 4, 7]

    static let stm32f401xc = f4("stm32f401xc", flash: 256, memory: 64, code: 0x1001_6423, ports: smallPorts)
    static let stm32f401xe = f4("stm32f401xe", flash: 512, memory: 96, code: 0x1001_6433, ports: smallPorts)
    static let stm32f411xe = f4("stm32f411xe", flash: 512, memory: 128, code: 0x1000_6431, ports: smallPorts)
    static let stm32f405xg = f40x("stm32f405xg")
    static let stm32f407xg = f40x("stm32f407xg")

    private static func f40x(_ name: String) -> Chip {
        f4(
            name, flash: 1024, memory: 128, code: 0x1007_6413, coupled: 64,
            [
                .timer("TIM6", 0x4000_1000, irqs: [54]), .timer("TIM7", 0x4000_1400, irqs: [55]),
                .timer("TIM8", 0x4001_0400, irqs: [44, 46], apb2: true), .timer("TIM12", 0x4000_1800, irqs: [43]),
                .timer("TIM13", 0x4000_1C00, irqs: [44]), .timer("TIM14", 0x4000_2000, irqs: [45]),
                .usart("USART3", 0x4000_4800, irq: 39), .usart("UART4", 0x4000_4C00, irq: 52),
                .usart("UART5", 0x4000_5000, irq: 53), .adc("ADC2", 0x4001_2100), .adc("ADC3", 0x4001_2200), .can,
                .random(irq: 80),
            ], ports: Array(0..<8))
    }
}

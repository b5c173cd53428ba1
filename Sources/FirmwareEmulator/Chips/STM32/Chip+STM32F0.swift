extension Chip {
    private static func gpio(_ ports: [Int]) -> [PeripheralDescription] {
        ports.map { .gpio(port: $0, 0x4800_0000 + UInt32($0) * 0x400) }
    }

    private static let f0Common: [PeripheralDescription] = [
        .timer("TIM1", 0x4001_2C00, irqs: [13, 14], apb2: true), .timer("TIM2", 0x4000_0000, irqs: [15], is32Bit: true),
        .timer("TIM3", 0x4000_0400, irqs: [16]), .timer("TIM14", 0x4000_2000, irqs: [19]),
        .timer("TIM16", 0x4001_4400, irqs: [21], apb2: true), .timer("TIM17", 0x4001_4800, irqs: [22], apb2: true),
        .usart("USART1", 0x4001_3800, irq: 27), .usart("USART2", 0x4000_4400, irq: 28),
        .i2c("I2C1", 0x4000_5400, irq: 23), .spi("SPI1", 0x4001_3000), .spi("SPI2", 0x4000_3800),
        .adc("ADC", 0x4001_2400), .clockRecovery,
    ]

    private static let f07Extra: [PeripheralDescription] = [
        .timer("TIM6", 0x4000_1000, irqs: [17]), .timer("TIM7", 0x4000_1400, irqs: [18]),
        .timer("TIM15", 0x4001_4000, irqs: [20], apb2: true), .usart("USART3", 0x4000_4800, irq: 29),
        .usart("USART4", 0x4000_4C00, irq: 29), .i2c("I2C2", 0x4000_5800, irq: 24),
    ]

    private static func f0(
        _ name: String, flash: UInt32, page: UInt32, memory: UInt32, system: (UInt32, UInt32), code: UInt32,
        peripherals: [PeripheralDescription]
    ) -> Chip {
        Chip(
            name: name, core: .cortexM0, flash: flash << 10, memory: memory << 10,
            STM32Description(
                family: .f0, pageSize: page << 10, systemMemory: system, uniqueID: 0x1FFF_F7AC,
                flashSizeRegister: 0x1FFF_F7CC,
                identity: (0x4001_5800, code), usb: .fsdev(.f0), interrupts: .f0, peripherals: f0Common + peripherals))
    }

    static let stm32f042 = f0(
        "stm32f042", flash: 32, page: 1, memory: 6, system: (0x1FFF_C400, 0x3400), code: 0x2000_0445,
        peripherals: gpio([0, 1, 2, 5]) + [.can])
    static let stm32f070x6 = f0(
        "stm32f070x6", flash: 32, page: 1, memory: 6, system: (0x1FFF_C400, 0x3400), code: 0x2000_0445,
        peripherals: gpio([0, 1, 2, 3, 5]))
    static let stm32f070 = f0(
        "stm32f070", flash: 128, page: 2, memory: 16, system: (0x1FFF_C800, 0x3000), code: 0x2000_0448,
        peripherals: gpio([0, 1, 2, 3, 5]) + f07Extra)
    static let stm32f072 = f0(
        "stm32f072", flash: 128, page: 2, memory: 16, system: (0x1FFF_C800, 0x3000), code: 0x2000_0448,
        peripherals: gpio([0, 1, 2, 3, 4, 5]) + f07Extra + [.can])
}

/// Families of STM32 whose peripherals differ.
enum STM32Family: Sendable {
    case f0
    case f1
    case f3
    case f4
}

/// The USB device controllers that STM32 chips have.
enum USBBlock: Sendable {
    case fsdev(FSDEV.Variant)
    /// OTG_FS as a device.
    case otg
}

/// What an STM32 chip has besides core, flash and SRAM.
struct STM32Description: Sendable {
    let family: STM32Family
    /// Bytes of flash that are erased at once.
    let pageSize: UInt32
    /// ROM with ST's boot loader, which is not emulated: start and length.
    let systemMemory: (base: UInt32, size: UInt32)
    let uniqueID: UInt32
    let flashSizeRegister: UInt32
    /// DBGMCU_IDCODE and where it is.
    let identity: (address: UInt32, code: UInt32)
    let usb: USBBlock
    let interrupts: InterruptMap
    let peripherals: [PeripheralDescription]
    /// Core-coupled memory, out of reach for DMA: start and length.
    var coupledMemory: (base: UInt32, size: UInt32)?

    static let flashBase: UInt32 = 0x0800_0000
    static let memoryBase: UInt32 = 0x2000_0000
}

/// Interrupts of peripherals that each chip has once.
struct InterruptMap: Sendable {
    var usbLow: Int
    var usbHigh: Int
    var usbWakeUp: Int
    /// F303 with USB_IT_RMP.
    var remappedUSB: (low: Int, high: Int, wakeUp: Int)?
    /// EXTI lines 0…15 in order.
    var external: [Int]
    var dma: [Int]
    var flash: Int
    var adc: Int
    var canTransmit: Int
    var canReceive0: Int
    var canReceive1: Int
    var canStatus: Int

    static let f0 = InterruptMap(
        usbLow: 31, usbHigh: 31, usbWakeUp: 31, external: [5, 5, 6, 6] + [Int](repeating: 7, count: 12),
        dma: [9, 10, 10, 11, 11, 11, 11], flash: 3, adc: 12, canTransmit: 30, canReceive0: 30, canReceive1: 30,
        canStatus: 30)
    static let f1 = InterruptMap(
        usbLow: 20, usbHigh: 19, usbWakeUp: 42,
        external: [6, 7, 8, 9, 10] + [Int](repeating: 23, count: 5) + [Int](repeating: 40, count: 6),
        dma: Array(11...17), flash: 4, adc: 18, canTransmit: 19, canReceive0: 20, canReceive1: 21, canStatus: 22)
    static let f3 = InterruptMap(
        usbLow: 20, usbHigh: 19, usbWakeUp: 42, remappedUSB: (75, 74, 76),
        external: [6, 7, 8, 9, 10] + [Int](repeating: 23, count: 5) + [Int](repeating: 40, count: 6),
        dma: Array(11...17), flash: 4, adc: 18, canTransmit: 19, canReceive0: 20, canReceive1: 21, canStatus: 22)
    static let f4 = InterruptMap(
        usbLow: 67, usbHigh: 67, usbWakeUp: 42,
        external: [6, 7, 8, 9, 10] + [Int](repeating: 23, count: 5) + [Int](repeating: 40, count: 6),
        dma: [], flash: 4, adc: 18, canTransmit: 19, canReceive0: 20, canReceive1: 21, canStatus: 22)
}

/// A peripheral of which chips have several, or not all have one.
enum PeripheralDescription: Sendable {
    case gpio(port: Int, UInt32)
    case usart(String, UInt32, irq: Int)
    case timer(String, UInt32, irqs: [Int], is32Bit: Bool = false, apb2: Bool = false)
    case i2c(String, UInt32, irq: Int)
    case spi(String, UInt32)
    case adc(String, UInt32)
    case can
    case clockRecovery
    case backup
    case random(irq: Int)
}

extension Chip {
    /// A chip of the STM32 family; sizes in bytes.
    init(name: String, core: CoreModel, flash: UInt32, memory: UInt32, _ description: STM32Description) {
        self.init(
            name: name, core: core, flashBase: STM32Description.flashBase, flashSize: flash,
            memoryBase: STM32Description.memoryBase, memorySize: memory, family: .stm32(description))
    }
}

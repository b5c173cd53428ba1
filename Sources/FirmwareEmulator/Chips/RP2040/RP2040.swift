/// Raspberry Pi's RP2040 on the bus of a machine, with a serial flash (RP2040 datasheet 2.2).
///
/// PIO and PWM keep what is written to them.
final class RP2040: ChipAssembly {
    static let flashBase: UInt32 = 0x1000_0000
    static let memoryBase: UInt32 = 0x2000_0000
    static let memorySize: UInt32 = 0x42000
    /// Length of boot2, which is before the vectors.
    private static let boot2Size: UInt32 = 0x100

    private enum ResetBit {
        static let usb: UInt32 = 1 << 24
    }

    let usb: any ChipUSBController
    let flash: MemoryRegion
    private(set) var serialPorts: [any SerialInput] = []
    private let context: ChipContext
    private let machine: Machine
    private let sram: MemoryRegion
    private let rom: MemoryRegion
    private var bootROM = BootROM()
    private let watchdog: WatchdogRP2040
    private let secondCore: SecondCore
    let startsBehindBootLoader = false

    init(_ context: ChipContext) {
        self.context = context
        machine = context.machine
        let machine = machine
        let memory = machine.memory
        let clock = machine.clock
        let cores = CoreGroup(machine)
        let sharedIO = SharedIO()
        let second = SecondCore(first: machine, shared: sharedIO, cores: cores)
        secondCore = second
        let hub = InterruptHub(CoreLines([machine.interrupts, second.machine.interrupts]))
        memory.add(CoreBank([machine.system, second.machine.system], cores))
        let chip = context.board.chip
        rom = memory.addROM("boot ROM", at: 0, bytes: bootROM.bytes)
        flash = memory.addFlash(at: Self.flashBase, size: chip.flashSize)
        // Cached and uncached: there is no cache here.
        for base in [0x1100_0000, 0x1200_0000, 0x1300_0000] as [UInt32] { memory.setAlias(at: base, to: flash) }
        memory.addRAM("XIP_SRAM", at: 0x1500_0000, size: 0x4000)
        sram = memory.addRAM(at: Self.memoryBase, size: chip.memorySize)
        // TinyUSB writes to 0 for want of a control word of endpoint 0, and nothing comes of it.
        rom.onStore = { _, _, _ in true }
        // Writing invalidates lines of the cache.
        flash.onStore = { _, _, _ in true }

        // USB
        let controller = RPUSBController()
        usb = controller
        let usbLine = hub.source()
        controller.lineChanged = { usbLine.setLine(5, $0) }
        memory.add(RPUSBRegisters(controller))
        memory.add(RPUSBMemory(controller))

        // Clocks and resets
        let crystal = context.board.crystal
        let systemPLL = PhaseLockedLoop("PLL_SYS", base: 0x4002_8000, crystal: crystal)
        let usbPLL = PhaseLockedLoop("PLL_USB", base: 0x4002_C000, crystal: crystal)
        memory.add(Clocks(clock: clock, crystal: crystal, systemPLL: systemPLL, usbPLL: usbPLL))
        memory.add(systemPLL)
        memory.add(usbPLL)
        memory.add(Oscillator("XOSC", base: 0x4002_4000, status: 0x04))
        memory.add(
            Oscillator("ROSC", base: 0x4006_0000, status: 0x18) { [unowned context] in context.randomWord() >> 7 })
        let resets = ResetControl()
        memory.add(resets)
        let power = PowerOnStateMachine()
        power.onSecondCore = { [unowned second] isOff in second.stop(announces: !isOff) }
        memory.add(power)
        watchdog = WatchdogRP2040(clock: clock) { [unowned machine] in machine.requestReset() }
        memory.add(watchdog)

        // Time, pins, serial
        let timer = MicrosecondTimer(clock: clock, interrupts: hub.source()) { [unowned cores] in
            let idle = cores.machine.idle
            return idle.isObserving || idle.isProven
        }
        memory.add(timer)
        let pads = PadControl()
        memory.add(pads)
        let gpio = GPIOBank(pins: context.pins, pads: pads, interrupts: hub.source())
        memory.add(gpio)
        let fifoLine = hub.source()
        sharedIO.onChange = { core, isPending in fifoLine.setLine(15 + core, isPending) }
        let sio = CoreBank((0..<2).map { SingleCycleIO(core: $0, gpio: gpio, shared: sharedIO) }, cores)
        memory.add(sio)
        for machine in cores.machines { machine.loopPeripherals.append(sio) }
        for (name, base, irq) in [("UART0", 0x4003_4000, 20), ("UART1", 0x4003_8000, 21)] as [(String, UInt32, Int)] {
            let port = SerialPortPL011(name, base: base, interrupts: hub.source(), irq: irq)
            port.onTransmit = { [unowned context] byte in context.onSerial(name, byte) }
            serialPorts.append(port)
            memory.add(port)
        }
        memory.add(SPIControllerPL022("SPI0", base: 0x4003_C000))
        memory.add(SPIControllerPL022("SPI1", base: 0x4004_0000))
        memory.add(I2CControllerDW("I2C0", base: 0x4004_4000, interrupts: hub.source(), irq: 23))
        memory.add(I2CControllerDW("I2C1", base: 0x4004_8000, interrupts: hub.source(), irq: 24))
        let adc = AnalogConverterRP2040(clock: clock, interrupts: hub.source()) { [unowned context] in
            context.sample()
        }
        memory.add(adc)

        // Flash and its ROM functions
        let serialFlash = SerialFlash(flash: flash, identity: 0xE660_0000_0000_0000 | context.identity)
        serialFlash.onChange = { [unowned context] offset, count in context.onFlashChange(offset, count) }
        let ssi = FlashInterfaceRP2040(chip: serialFlash)
        memory.add(ssi)
        let flashPins = FlashPins()
        flashPins.onSelect = { [unowned ssi] in ssi.isSelectHeld = $0 }
        memory.add(flashPins)
        let calls = BootROMCalls(cores: cores, functions: bootROM.functions, serialFlash: serialFlash) {
            [unowned machine, unowned controller] in
            controller.reset()
            machine.onDiagnostic?(.bootLoaderInROM)
        }
        memory.add(calls)

        // DMA
        let dma = DMAControllerRP2040(memory: memory, clock: clock, interrupts: hub.source())
        let blocks = Self.programmableIO(gpio: gpio, pins: context.pins, clock: clock, hub: hub)
        for (index, block) in blocks.enumerated() {
            block.onQueues = { [unowned dma] in dma.step() }
            block.isAwaitedByDMA = { [unowned dma] in dma.awaits(UInt32(index * 8)..<UInt32(index * 8 + 8)) }
            memory.add(block)
        }
        dma.isRequested = { [unowned adc, unowned first = blocks[0], unowned second = blocks[1]] request in
            switch request {
            case 0..<16: (request < 8 ? first : second).isRequested(Int(request % 8))
            case 36: adc.hasResults
            // What a serial port or a bus sends, it has room for.
            case 16...23: request & 1 == 0
            default: false
            }
        }
        adc.onResult = { [unowned dma] in dma.step() }
        memory.add(dma)
        addStorage(memory)

        resets.onReset = { [unowned memory] bits in
            for peripheral in memory.peripherals where Self.resetBit(peripheral.base) & bits != 0 { peripheral.reset() }
        }
        resets.onChange = { [unowned controller] bits in controller.isClocked = bits & ResetBit.usb == 0 }
    }

    /// PIO0 and PIO1, at the pins.
    private static func programmableIO(
        gpio: GPIOBank, pins: PinBank, clock: VirtualClock, hub: InterruptHub
    ) -> [ProgrammableIO] {
        let blocks = [
            ProgrammableIO("PIO0", base: 0x5020_0000, clock: clock, interrupts: hub.source(), irqs: [7, 8]),
            ProgrammableIO("PIO1", base: 0x5030_0000, clock: clock, interrupts: hub.source(), irqs: [9, 10]),
        ]
        for (index, block) in blocks.enumerated() {
            block.levels = { [unowned gpio] in gpio.input }
            block.onPins = { [unowned gpio] in gpio.program(index, output: $0, enable: $1) }
            pins.onChange.append { [unowned block] _, _, _ in block.inputChanged() }
        }
        gpio.beforeInput = { [unowned first = blocks[0], unowned second = blocks[1]] in
            first.settle()
            second.settle()
        }
        return blocks
    }

    private func addStorage(_ memory: MemoryMap) {
        memory.add(AtomicStorageBlock("SYSINFO", base: 0x4000_0000, fixed: [0x00: 0x2000_2927, 0x04: 2]))
        memory.add(AtomicStorageBlock("VREG_AND_CHIP_RESET", base: 0x4006_4000, initial: [0x00: 0xB1, 0x08: 0x100]))
        memory.add(AtomicStorageBlock("SYSCFG", base: 0x4000_4000))
        memory.add(AtomicStorageBlock("PADS_QSPI", base: 0x4002_0000))
        // The counters' event selections; pico_rand looks for one that is not in use.
        memory.add(
            AtomicStorageBlock(
                "BUSCTRL", base: 0x4003_0000, initial: [0x0C: 0x1F, 0x14: 0x1F, 0x1C: 0x1F, 0x24: 0x1F],
                fixed: [0x04: 1]))
        memory.add(AtomicStorageBlock("PWM", base: 0x4005_0000))
        memory.add(RealTimeClockRP2040(clock: machine.clock))
        memory.add(AtomicStorageBlock("TBMAN", base: 0x4006_C000, fixed: [0x00: 1]))
        memory.add(
            AtomicStorageBlock("XIP_CTRL", base: 0x1400_0000, initial: [0x00: 3], fixed: [0x04: 0, 0x08: 3]))
    }

    /// A peripheral's bit in RESETS (section 2.14.2).
    private static func resetBit(_ base: UInt32) -> UInt32 {
        let bits: [UInt32: UInt32] = [
            0x4004_C000: 0, 0x4003_0000: 1, 0x5000_0000: 2, 0x4004_4000: 3, 0x4004_8000: 4, 0x4001_4000: 5,
            0x4001_8000: 6, 0x4001_C000: 8, 0x4002_0000: 9, 0x5020_0000: 10, 0x5030_0000: 11, 0x4002_8000: 12,
            0x4002_C000: 13, 0x4005_0000: 14, 0x4005_C000: 15, 0x4003_C000: 16, 0x4004_0000: 17, 0x4000_4000: 18,
            0x4000_0000: 19, 0x4006_C000: 20, 0x4005_4000: 21, 0x4003_4000: 22, 0x4003_8000: 23, 0x5011_0000: 24,
            0x5010_0000: 24,
        ]
        return bits[base].map { 1 << $0 } ?? 0
    }

    func run(_ machine: Machine, untilCycle cycle: UInt64) -> RunResult {
        secondCore.isRunning ? secondCore.run(with: machine, untilCycle: cycle) : machine.run(untilCycle: cycle)
    }

    // MARK: Boot

    func notePowerOn() {
        watchdog.powerOn()
    }

    func prepareReset() {
        secondCore.stop(announces: false)
        bootROM.setVectors(stack: BootROM.stackTop, entry: bootROM.endless)
        let words = watchdog.bootWords
        let magic: UInt32 = 0xB007_C0D3
        if words[0] == magic, words[1] ^ words[3] == 0 &- magic {
            // Firmware named where the next boot goes (section 2.8.1.1).
            bootROM.setVectors(stack: words[2], entry: words[3] | 1)
            watchdog.clearBootMagic()
            isVectored = true
        } else {
            isVectored = false
        }
        rom.write(bootROM.bytes.prefix(8), at: 0)
    }

    /// The watchdog's words have named an entry.
    private var isVectored = false

    /// Where boot2 would go: it sets up the flash, which is set up here, and starts what has its vectors behind it.
    func bootVectors(imageStart: UInt32?) -> UInt32? {
        guard !isVectored else { return nil }
        let start = imageStart ?? Self.flashBase
        for candidate in [Self.flashBase + Self.boot2Size, Self.flashBase, start, start + Self.boot2Size]
        where isVectorTable(candidate) {
            return candidate
        }
        if start >= Self.memoryBase, start < Self.memoryBase + Self.memorySize {
            // An image for SRAM is entered at its begin.
            bootROM.setVectors(stack: BootROM.stackTop, entry: start | 1)
            rom.write(bootROM.bytes.prefix(8), at: 0)
        }
        return nil
    }

    private func isVectorTable(_ address: UInt32) -> Bool {
        let words = machine.memory.bytes(at: address, count: 8)
        guard let stack = words.little32(at: 0), let entry = words.little32(at: 4), entry & 1 == 1 else { return false }
        let isStack = stack > Self.memoryBase && stack <= Self.memoryBase + Self.memorySize && stack & 3 == 0
        let isEntry =
            flash.offset(of: entry, count: 2) != nil || sram.offset(of: entry, count: 2) != nil
        return isStack && isEntry
    }

    func place(_ segment: FirmwareImage.Segment) -> ImagePlace {
        for region in [flash, sram] {
            if let offset = region.offset(of: segment.address, count: segment.bytes.count) {
                return .memory(region, offset)
            }
        }
        return .nowhere
    }
}

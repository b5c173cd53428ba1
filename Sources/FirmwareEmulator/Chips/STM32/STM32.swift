/// A chip of the STM32 family on the bus of a machine.
final class STM32: ChipAssembly {
    let usb: any ChipUSBController
    let flash: MemoryRegion
    private(set) var serialPorts: [any SerialInput] = []
    private let description: STM32Description
    private let context: ChipContext
    private let machine: Machine
    private let sram: MemoryRegion
    private let clockControl: any ClockControl
    private let externalInterrupts: ExternalInterrupts
    private let hub: InterruptHub
    private let usbWiring: USBWiring
    /// The cause that RCC shows after the next reset.
    private var resetCause = ResetCause.software

    init(_ description: STM32Description, _ context: ChipContext) {
        self.description = description
        self.context = context
        machine = context.machine
        let chip = context.board.chip
        let pins = context.pins
        let memory = machine.memory
        let isF4 = description.family == .f4
        let hub = InterruptHub(machine.interrupts)
        self.hub = hub
        let clock = machine.clock
        flash = memory.addFlash(at: STM32Description.flashBase, size: chip.flashSize)
        sram = memory.addRAM(at: STM32Description.memoryBase, size: chip.memorySize)
        let system = memory.addROM(
            "system memory", at: description.systemMemory.base,
            bytes: Self.systemMemory(chip, description, identity: context.identity))
        let options = OptionBytes(system, family: description.family)
        memory.setAlias(at: 0, to: flash)
        if let coupled = description.coupledMemory { memory.addRAM("CCM", at: coupled.base, size: coupled.size) }
        clockControl =
            isF4
            ? ResetAndClockControlF4(clock: clock, crystal: context.board.crystal)
            : ResetAndClockControl(family: description.family, clock: clock, crystal: context.board.crystal)

        for base in stride(from: UInt32(0x4000_0000), to: isF4 ? 0x4002_9800 : 0x4002_4400, by: 0x400) {
            memory.add(StorageBlock("peripheral \(hex(base))", base: base))
        }
        if description.family == .f3 { memory.add(StorageBlock("ADC12", base: 0x5000_0000, size: 0x800)) }
        if isF4 { memory.add(StorageBlock("OTG_HS", base: 0x4004_0000, size: 0x4_0000)) }
        usbWiring = USBWiring(description.usb, memory: memory, map: description.interrupts, lines: hub.source())
        usb = usbWiring.controller
        let configuration = SystemConfiguration(base: isF4 ? 0x4001_3800 : 0x4001_0000)
        let alternate = AlternateFunctions()
        let portOfLine: (Int) -> Int =
            description.family == .f1 ? { alternate.port(ofLine: $0) } : { configuration.port(ofLine: $0) }
        let lines = description.interrupts
        externalInterrupts = ExternalInterrupts(
            base: isF4 ? 0x4001_3C00 : 0x4001_0400, interrupts: hub.source(), pins: pins,
            irq: { line in line < 16 ? lines.external[line] : line == 18 ? lines.usbWakeUp : nil },
            portOfLine: portOfLine)
        memory.add(clockControl)
        if description.family == .f1 { memory.add(alternate) } else { memory.add(configuration) }
        memory.add(externalInterrupts)
        let interface: any FlashProgramming =
            isF4
            ? FlashInterfaceF4(flash: flash, interrupts: hub.source(), irq: lines.flash)
            : Self.flashInterface(flash, system, options, description, machine, hub.source())
        memory.add(interface)
        memory.add(PowerControl(readyFlags: isF4 ? 0x4008 : 0))
        memory.add(ChecksumUnit(isProgrammable: description.family == .f0 || description.family == .f3))
        let dma = isF4 ? nil : DMAController(memory: memory, interrupts: hub.source(), irqs: lines.dma)
        if let dma { memory.add(dma) }
        memory.add(description.family == .f1 ? RealTimeClockF1(clock: clock) : RealTimeClock(clock: clock))
        memory.add(IdentityBlock(base: description.identity.address, code: description.identity.code))
        addWatchdogs()
        addPeripherals(dma: dma)

        flash.onStore = { [unowned interface] offset, width, value in
            interface.program(offset, width: width, value: value)
            return true
        }
        interface.onChange = { [unowned context] offset, count in context.onFlashChange(offset, count) }
        configuration.onMemoryMode = { [unowned memory, unowned flash, unowned sram, unowned system] mode in
            memory.setAlias(at: 0, to: mode == 1 ? system : mode == 3 ? sram : flash)
        }
        configuration.onInterruptRemap = { [unowned self] isRemapped in
            usbWiring.remap(isRemapped)
        }
        connectUSB()
    }

    private static func flashInterface(
        _ flash: MemoryRegion, _ system: MemoryRegion, _ options: OptionBytes, _ description: STM32Description,
        _ machine: Machine, _ interrupts: any InterruptLines
    ) -> FlashInterface {
        let interface = FlashInterface(
            flash: flash, options: options, pageSize: description.pageSize, interrupts: interrupts,
            irq: description.interrupts.flash)
        interface.onOptionLoad = { [unowned machine] in machine.requestReset() }
        system.onStore = { [unowned interface, base = system.base] offset, width, value in
            guard base + offset >= OptionBytes.address else { return false }
            interface.programOption(base + offset - OptionBytes.address, width: width, value: value)
            return true
        }
        return interface
    }

    func notePowerOn() { resetCause = .power }

    func prepareReset() {
        clockControl.noteReset(resetCause)
        resetCause = .software
        machine.memory.setAlias(at: 0, to: flash)
    }

    /// Images are often linked to run behind a boot loader that the user does not have: when the begin of flash is erased,
    /// and the image begins with a stack pointer into SRAM and an entry into itself, the chip starts there.
    func bootVectors(imageStart: UInt32?) -> UInt32? {
        func word(_ offset: UInt32) -> UInt32 {
            flash.read(at: offset, count: 4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard let start = imageStart, start > flash.base, start & 0xFF == 0, start - flash.base < flash.size - 8,
            word(0) == .max, word(4) == .max
        else { return nil }
        let stack = word(start - flash.base)
        let entry = word(start - flash.base + 4)
        guard stack > sram.base, stack - sram.base <= sram.size, entry & 1 == 1, entry > start,
            entry - flash.base < flash.size
        else { return nil }
        return start
    }

    func place(_ segment: FirmwareImage.Segment) -> ImagePlace {
        // Images may be linked to the alias at 0.
        let address = segment.end <= UInt64(flash.size) ? segment.address + flash.base : segment.address
        for region in [flash, sram] {
            if let offset = region.offset(of: address, count: segment.bytes.count) { return .memory(region, offset) }
        }
        // Option bytes: the chip's own are kept.
        return address >= 0x1FFF_0000 && address < sram.base ? .ignored : .nowhere
    }

    // MARK: USB

    private func connectUSB() {
        usbWiring.onWakeUpEdge = { [unowned self] in externalInterrupts.edge(line: 18, rising: $0) }
        clockControl.onUSBClock = { [unowned self] in usb.isClocked = $0 }
        clockControl.onUSBReset = { [unowned self] in usb.reset() }
    }

    // MARK: Assembly

    private func addWatchdogs() {
        machine.memory.add(
            IndependentWatchdog(clock: machine.clock) { [unowned self] in
                resetCause = .independentWatchdog
                machine.requestReset()
            })
        machine.memory.add(
            WindowWatchdog(
                clock: machine.clock, interrupts: hub.source(),
                busFrequency: { [unowned clockControl] in clockControl.timerFrequency(apb2: false) }
            ) { [unowned self] in
                resetCause = .windowWatchdog
                machine.requestReset()
            })
    }

    private func addPeripherals(dma: DMAController?) {
        let memory = machine.memory
        let isF1 = description.family == .f1
        // F4 has F1's serial ports and I2C, and F0's GPIO.
        let isOld = isF1 || description.family == .f4
        let pins = context.pins
        let lines = description.interrupts
        for peripheral in description.peripherals {
            switch peripheral {
            case .gpio(let port, let base):
                memory.add(
                    isF1 ? GPIOPortF1(port: port, base: base, pins: pins) : GPIOPort(port: port, base: base, pins: pins)
                )
            case .usart(let name, let base, let irq):
                let port: SerialPort =
                    isOld
                    ? USARTF1(name, base: base, interrupts: hub.source(), irq: irq)
                    : USART(name, base: base, interrupts: hub.source(), irq: irq)
                port.onTransmit = { [unowned context] byte in context.onSerial(name, byte) }
                serialPorts.append(port)
                memory.add(port)
            case .timer(let name, let base, let irqs, let is32Bit, let apb2):
                memory.add(
                    Timer(
                        name, base: base, is32Bit: is32Bit, clock: machine.clock, interrupts: hub.source(), irqs: irqs,
                        frequency: { [unowned clockControl] in clockControl.timerFrequency(apb2: apb2) }))
            case .i2c(let name, let base, let irq):
                memory.add(
                    isOld
                        ? I2CControllerF1(name, base: base)
                        : I2CController(name, base: base, interrupts: hub.source(), irq: irq))
            case .spi(let name, let base): memory.add(SPIController(name, base: base))
            case .adc(let name, let base):
                let surroundings = AnalogConverter.Surroundings(
                    clock: machine.clock, interrupts: hub.source(), irq: lines.adc, dma: name == "ADC2" ? nil : dma,
                    frequency: { [unowned clockControl] in clockControl.converterFrequency },
                    sample: { [unowned context] _ in context.sample() },
                    isUnwatched: { [unowned context] in context.isUnwatched })
                switch description.family {
                case .f0: memory.add(AnalogConverter(surroundings))
                case .f3: memory.add(AnalogConverterF3(name, base: base, surroundings))
                case .f1: memory.add(AnalogConverterF1(name, base: base, surroundings))
                case .f4: memory.add(AnalogConverterF4(name, base: base, surroundings))
                }
            case .can:
                memory.add(
                    CANController(
                        interrupts: hub.source(),
                        irqs: .init(
                            transmit: lines.canTransmit, receive0: lines.canReceive0, receive1: lines.canReceive1,
                            status: lines.canStatus)))
            case .clockRecovery: memory.add(ClockRecovery())
            case .backup: memory.add(BackupRegisters())
            case .random(let irq):
                memory.add(
                    RandomNumberGenerator(interrupts: hub.source(), irq: irq) { [unowned context] in
                        context.randomWord()
                    })
            }
        }
    }

    /// System memory, unique id, flash size and option bytes up to the end of the page: 0x1FFF....
    private static func systemMemory(_ chip: Chip, _ description: STM32Description, identity: UInt64) -> [UInt8] {
        let end: UInt32 = 0x1FFF_F810
        var bytes = [UInt8](repeating: 0xFF, count: Int(end - description.systemMemory.base))
        func put(_ values: [UInt8], at address: UInt32) {
            for (index, value) in values.enumerated() {
                bytes[Int(address - description.systemMemory.base) + index] = value
            }
        }
        // Where a jump into ST's boot loader lands: an endless loop (0xE7FE) instead of nowhere.
        put([0x00, 0x10, 0x00, 0x20], at: description.systemMemory.base)
        let loop = description.systemMemory.base + 0x100
        put((0..<4).map { UInt8(truncatingIfNeeded: (loop | 1) >> ($0 * 8)) }, at: description.systemMemory.base + 4)
        put([0xFE, 0xE7], at: loop)
        // Lot and wafer numbers are ASCII in real chips.
        var unique: [UInt8] = (0..<8).map { UInt8(truncatingIfNeeded: identity >> ($0 * 8)) }
        unique += Array("2VRT".utf8)
        put(unique, at: description.uniqueID)
        put(
            [UInt8(truncatingIfNeeded: chip.flashSize >> 10), UInt8(truncatingIfNeeded: chip.flashSize >> 18)],
            at: description.flashSizeRegister)
        // Option bytes: read protection off, each followed by its complement.
        if description.family == .f4 {
            put([0xEF, 0xAA, 0x10, 0x55, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x0F, 0x00, 0xF0], at: 0x1FFF_C000)
        } else {
            put(OptionBytes.initial(description.family), at: OptionBytes.address)
        }
        return bytes
    }
}

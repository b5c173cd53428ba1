/// A board with an image in its flash: the machine, its peripherals, and the ways in for bus and operator.
///
/// Confined to one thread at a time, like the machine.
public final class Microcontroller {
    public let board: Board
    public let machine: Machine
    let usb: any ChipUSBController
    let flash: MemoryRegion
    let sram: MemoryRegion
    let pins = PinBank()
    let clockControl: any ClockControl
    private(set) var serialPorts: [SerialPort] = []
    let externalInterrupts: ExternalInterrupts
    private let hub: InterruptHub
    private let usbWiring: USBWiring
    /// Where the image begins.
    private var imageStart: UInt32?
    /// The cause that RCC shows after the next reset.
    private var resetCause = ResetCause.software
    /// Called with a serial port's name and a byte that firmware sent.
    public var onSerial: (String, UInt8) -> Void = { _, _ in }
    /// Called after firmware has changed its flash, with offset and length.
    public var onFlashChange: (UInt32, UInt32) -> Void = { _, _ in }
    /// Nobody uses the device now: what only keeps it busy may go slower.
    var isUnwatched = false
    /// Random numbers that converters read as noise; seeded from the identity, so that a run can be repeated.
    private var noise: UInt64

    /// - Parameters:
    ///   - identity: makes the chip's 96-bit unique id.
    ///   - image: what is in flash, or SRAM; nil is an erased chip.
    public init(board: Board, image: FirmwareImage?, identity: UInt64 = 1) throws(ImageError) {
        self.board = board
        let chip = board.chip
        noise = identity ^ 0x9E37_79B9_7F4A_7C15
        machine = Machine(model: chip.core, hertz: 8_000_000)
        let memory = machine.memory
        let isF4 = chip.family == .f4
        let hub = InterruptHub(machine.interrupts)
        self.hub = hub
        let clock = machine.clock
        flash = memory.addFlash(at: Chip.flashBase, size: chip.flashSize)
        sram = memory.addRAM(at: Chip.memoryBase, size: chip.memorySize)
        let system = memory.addROM(
            "system memory", at: chip.systemMemory.base, bytes: Self.systemMemory(chip, identity: identity))
        memory.setAlias(at: 0, to: flash)
        if let coupled = chip.coupledMemory { memory.addRAM("CCM", at: coupled.base, size: coupled.size) }
        clockControl =
            isF4
            ? ResetAndClockControlF4(clock: clock, crystal: board.crystal)
            : ResetAndClockControl(family: chip.family, clock: clock, crystal: board.crystal)

        for base in stride(from: UInt32(0x4000_0000), to: isF4 ? 0x4002_9800 : 0x4002_4400, by: 0x400) {
            memory.add(StorageBlock("peripheral \(hex(base))", base: base))
        }
        if chip.family == .f3 { memory.add(StorageBlock("ADC12", base: 0x5000_0000, size: 0x800)) }
        if isF4 { memory.add(StorageBlock("OTG_HS", base: 0x4004_0000, size: 0x4_0000)) }
        usbWiring = USBWiring(chip.usb, memory: memory, map: chip.interrupts, lines: hub.source())
        usb = usbWiring.controller
        let configuration = SystemConfiguration(base: isF4 ? 0x4001_3800 : 0x4001_0000)
        let alternate = AlternateFunctions()
        let portOfLine: (Int) -> Int =
            chip.family == .f1 ? { alternate.port(ofLine: $0) } : { configuration.port(ofLine: $0) }
        let lines = chip.interrupts
        externalInterrupts = ExternalInterrupts(
            base: isF4 ? 0x4001_3C00 : 0x4001_0400, interrupts: hub.source(), pins: pins,
            irq: { line in line < 16 ? lines.external[line] : line == 18 ? lines.usbWakeUp : nil },
            portOfLine: portOfLine)
        memory.add(clockControl)
        if chip.family == .f1 { memory.add(alternate) } else { memory.add(configuration) }
        memory.add(externalInterrupts)
        let interface: any FlashProgramming =
            isF4
            ? FlashInterfaceF4(flash: flash, interrupts: hub.source(), irq: lines.flash)
            : FlashInterface(flash: flash, pageSize: chip.pageSize, interrupts: hub.source(), irq: lines.flash)
        memory.add(interface)
        memory.add(PowerControl(readyFlags: isF4 ? 0x4008 : 0))
        memory.add(ChecksumUnit(isProgrammable: chip.family == .f0 || chip.family == .f3))
        let dma = isF4 ? nil : DMAController(memory: memory, interrupts: hub.source(), irqs: lines.dma)
        if let dma { memory.add(dma) }
        memory.add(chip.family == .f1 ? RealTimeClockF1(clock: clock) : RealTimeClock(clock: clock))
        memory.add(IdentityBlock(base: chip.identity.address, code: chip.identity.code))
        addWatchdogs()
        addPeripherals(dma: dma)

        flash.onStore = { [unowned interface] offset, width, value in
            interface.program(offset, width: width, value: value)
            return true
        }
        interface.onChange = { [unowned self] offset, count in onFlashChange(offset, count) }
        configuration.onMemoryMode = { [unowned memory, unowned flash, unowned sram, unowned system] mode in
            memory.setAlias(at: 0, to: mode == 1 ? system : mode == 3 ? sram : flash)
        }
        configuration.onInterruptRemap = { [unowned self] isRemapped in
            usbWiring.remap(isRemapped)
        }
        connectUSB()
        if let image { try load(image) }
    }

    /// Power on.
    public func powerOn() {
        resetCause = .power
        reset()
        if let vectors = machine.bootVectors { machine.onDiagnostic?(.missingBootLoader(vectors: vectors)) }
    }

    /// System reset, for the cause that was noted last.
    public func reset() {
        clockControl.noteReset(resetCause)
        resetCause = .software
        machine.memory.setAlias(at: 0, to: flash)
        machine.bootVectors = vectorsBehindBootLoader
        machine.reset()
        updatePullUp()
    }

    /// Images are often linked to run behind a boot loader that the user does not have: when the begin of flash is erased,
    /// and the image begins with a stack pointer into SRAM and an entry into itself, the chip starts there.
    private var vectorsBehindBootLoader: UInt32? {
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

    /// Puts segments where they belong; what is outside the chip's memories is an error.
    private func load(_ image: FirmwareImage) throws(ImageError) {
        imageStart = image.lowestAddress
        for segment in image.segments where !segment.bytes.isEmpty {
            // Images may be linked to the alias at 0.
            let address = segment.end <= UInt64(flash.size) ? segment.address + Chip.flashBase : segment.address
            if address >= flash.base, UInt64(address - flash.base) + UInt64(segment.bytes.count) <= UInt64(flash.size) {
                flash.write(segment.bytes, at: address - flash.base)
            } else if address >= sram.base,
                UInt64(address - sram.base) + UInt64(segment.bytes.count) <= UInt64(sram.size)
            {
                sram.write(segment.bytes, at: address - sram.base)
            } else if address >= 0x1FFF_0000, address < Chip.memoryBase {
                // Option bytes: the chip's own are kept.
                continue
            } else {
                throw ImageError(
                    image.format,
                    "\(segment.bytes.count) bytes at \(hex(segment.address)) do not fit \(board.chip.name): flash \(hex(flash.base)) "
                        + "has \(flash.size >> 10) KiB, SRAM \(hex(sram.base)) has \(sram.size >> 10) KiB")
            }
        }
    }

    // MARK: USB

    private func connectUSB() {
        usbWiring.onWakeUpEdge = { [unowned self] in externalInterrupts.edge(line: 18, rising: $0) }
        clockControl.onUSBClock = { [unowned self] in usb.isClocked = $0 }
        clockControl.onUSBReset = { [unowned self] in usb.reset() }
        pins.onChange.append { [unowned self] port, _, _ in
            if port == board.pullUp?.pin.port { updatePullUp() }
        }
    }

    private func updatePullUp() {
        guard let (pin, isOnWhenHigh) = board.pullUp else { return }
        usb.isBoardPullUpOn = pins.drivenLevel(pin) == isOnWhenHigh
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
        let isF1 = board.chip.family == .f1
        // F4 has F1's serial ports and I2C, and F0's GPIO.
        let isOld = isF1 || board.chip.family == .f4
        let lines = board.chip.interrupts
        for description in board.chip.peripherals {
            switch description {
            case .gpio(let port, let base):
                memory.add(
                    isF1 ? GPIOPortF1(port: port, base: base, pins: pins) : GPIOPort(port: port, base: base, pins: pins)
                )
            case .usart(let name, let base, let irq):
                let port: SerialPort =
                    isOld
                    ? USARTF1(name, base: base, interrupts: hub.source(), irq: irq)
                    : USART(name, base: base, interrupts: hub.source(), irq: irq)
                port.onTransmit = { [unowned self] byte in onSerial(name, byte) }
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
                    sample: { [unowned self] in sample($0) }, isUnwatched: { [unowned self] in isUnwatched })
                switch board.chip.family {
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
                    RandomNumberGenerator(interrupts: hub.source(), irq: irq) { [unowned self] in randomWord() })
            }
        }
    }

    /// 12-bit noise around the middle: an open input. Firmware takes entropy from the low bits.
    private func sample(_ channel: Int) -> UInt16 {
        2048 + UInt16(truncatingIfNeeded: randomWord()) % 64 - 32
    }

    private func randomWord() -> UInt32 {
        noise ^= noise << 13
        noise ^= noise >> 7
        noise ^= noise << 17
        return UInt32(truncatingIfNeeded: noise >> 20)
    }

    /// System memory, unique id, flash size and option bytes up to the end of the page: 0x1FFF....
    private static func systemMemory(_ chip: Chip, identity: UInt64) -> [UInt8] {
        let end: UInt32 = 0x1FFF_F810
        var bytes = [UInt8](repeating: 0xFF, count: Int(end - chip.systemMemory.base))
        func put(_ values: [UInt8], at address: UInt32) {
            for (index, value) in values.enumerated() { bytes[Int(address - chip.systemMemory.base) + index] = value }
        }
        // Where a jump into ST's boot loader lands: an endless loop (0xE7FE) instead of nowhere.
        put([0x00, 0x10, 0x00, 0x20], at: chip.systemMemory.base)
        let loop = chip.systemMemory.base + 0x100
        put((0..<4).map { UInt8(truncatingIfNeeded: (loop | 1) >> ($0 * 8)) }, at: chip.systemMemory.base + 4)
        put([0xFE, 0xE7], at: loop)
        // Lot and wafer numbers are ASCII in real chips.
        var unique: [UInt8] = (0..<8).map { UInt8(truncatingIfNeeded: identity >> ($0 * 8)) }
        unique += Array("2VRT".utf8)
        put(unique, at: chip.uniqueID)
        put(
            [UInt8(truncatingIfNeeded: chip.flashSize >> 10), UInt8(truncatingIfNeeded: chip.flashSize >> 18)],
            at: chip.flashSizeRegister)
        // Option bytes: read protection off, each followed by its complement.
        if chip.family == .f4 {
            put([0xEF, 0xAA, 0x10, 0x55, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x0F, 0x00, 0xF0], at: 0x1FFF_C000)
        } else {
            put(
                [0xAA, 0x55, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00],
                at: 0x1FFF_F800)
        }
        return bytes
    }
}

/// DBGMCU: IDCODE, and control bits that are kept.
final class IdentityBlock: RegisterBlock {
    private let code: UInt32

    init(base: UInt32, code: UInt32) {
        self.code = code
        super.init("DBGMCU", base: base)
    }

    override func load(_ offset: UInt32) -> UInt32 { offset == 0 ? code : self[offset] }
    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        if offset != 0 { keep(offset, value, mask: mask) }
    }
}

/// The 30 pins of the RP2040 and the six of its flash, between SIO, the pads and the board (datasheet 2.19).
///
/// Pins are the bank's ports 8 and 9, those of the flash are port 10.
final class GPIOBank: AtomicRegisterBlock {
    private enum Register {
        static let raw: UInt32 = 0x0F0, enable: UInt32 = 0x100, force: UInt32 = 0x110, status: UInt32 = 0x120
    }

    static let count = 30
    private static let sio: UInt32 = 5
    /// PIO0's; PIO1's is the next.
    private static let programmable: UInt32 = 6

    private let pins: PinBank
    private let pads: AtomicRegisterBlock
    private let interrupts: any InterruptLines
    private(set) var output: UInt32 = 0
    private(set) var outputEnable: UInt32 = 0
    var outputHigh: UInt32 = 0
    var outputEnableHigh: UInt32 = 0
    /// What the PIO blocks drive, for pins whose function is theirs.
    private var programmed: [(output: UInt32, enable: UInt32)] = [(0, 0), (0, 0)]
    /// Called before the levels of the pins are looked at.
    var beforeInput: () -> Void = {}

    init(pins: PinBank, pads: PadControl, interrupts: any InterruptLines) {
        self.pins = pins
        self.pads = pads
        self.interrupts = interrupts
        super.init("IO_BANK0", base: 0x4001_4000, used: 0x190)
        pads.onChange = { [unowned self] in drive() }
        pins.onChange.append { [unowned self] port, before, after in
            guard let start = [Pin.numberedPort: 0, Pin.numberedPort + 1: 16][port] else { return }
            noteEdges(start: start, before: before, after: after)
        }
    }

    override func reset() {
        super.reset()
        for index in 0..<UInt32(Self.count) { self[index * 8 + 4] = 0x1F }
        output = 0
        outputEnable = 0
        outputHigh = 0
        outputEnableHigh = 0
        drive()
        updateLine()
    }

    /// SIO's GPIO_IN.
    var input: UInt32 {
        let levels =
            UInt32(pins.ports[Pin.numberedPort].levels) | UInt32(pins.ports[Pin.numberedPort + 1].levels) << 16
        return levels & 0x3FFF_FFFF
    }

    /// What firmware reads as GPIO_IN.
    var observedInput: UInt32 {
        beforeInput()
        return input
    }

    /// A PIO block drives pins.
    func program(_ block: Int, output: UInt32, enable: UInt32) {
        let before = programmed[block]
        programmed[block] = (output, enable)
        let changed = (before.output ^ output) | (before.enable ^ enable)
        let isSeen = (0..<Self.count).contains {
            changed >> UInt32($0) & 1 == 1 && function($0) == Self.programmable + UInt32(block)
        }
        if isSeen { drive() }
    }

    private func function(_ index: Int) -> UInt32 { self[UInt32(index * 8 + 4)] & 0x1F }

    /// What the pin's function drives; nil: nothing.
    private func driven(_ index: Int) -> Bool? {
        let bit = UInt32(index)
        let source: (output: UInt32, enable: UInt32)
        switch function(index) {
        case Self.sio: source = (output, outputEnable)
        case Self.programmable: source = programmed[0]
        case Self.programmable + 1: source = programmed[1]
        default: return nil
        }
        return source.enable >> bit & 1 == 1 ? source.output >> bit & 1 == 1 : nil
    }

    /// SIO's GPIO_HI_IN: SCLK, SS, SD0…3. The flash's select has a pull-up; BOOTSEL pulls it low.
    var inputHigh: UInt32 { UInt32(pins.ports[Pin.flashPort].levels) & 0x3F }

    func changeOutput(_ value: UInt32, _ operation: Operation) {
        output = Self.merged(output, value, operation) & 0x3FFF_FFFF
        drive()
    }

    func changeOutputEnable(_ value: UInt32, _ operation: Operation) {
        outputEnable = Self.merged(outputEnable, value, operation) & 0x3FFF_FFFF
        drive()
    }

    // MARK: Registers

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0..<0xF0 where offset & 4 == 0: return pinStatus(Int(offset / 8))
        case Register.raw..<Register.enable: return events(Int(offset - Register.raw) / 4)
        case Register.status..<Register.status + 0x10:
            let index = offset - Register.status
            return (events(Int(index / 4)) | self[Register.force + index]) & self[Register.enable + index]
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        switch offset {
        case 0..<0xF0 where offset & 4 == 0: return
        case 0..<0xF0:
            keep(offset, value, operation)
            drive()
        // Edges are cleared by writing 1.
        case Register.raw..<Register.enable: self[offset] &= ~(value & 0xCCCC_CCCC)
        default: keep(offset, value, operation)
        }
        updateLine()
    }

    override func isPlain(_ offset: UInt32) -> Bool { offset < 0xF0 && offset & 4 != 0 }

    private func pinStatus(_ index: Int) -> UInt32 {
        let level = input >> UInt32(index) & 1
        let isOut = output >> UInt32(index) & 1, isEnabled = outputEnable >> UInt32(index) & 1
        return isOut << 8 | isOut << 9 | isEnabled << 12 | isEnabled << 13 | level << 17 | level << 19
    }

    /// Four bits for each of eight pins: low, high, falling, rising.
    private func events(_ group: Int) -> UInt32 {
        let levels = input >> UInt32(group * 8)
        var value = self[Register.raw + UInt32(group) * 4]
        for index in 0..<UInt32(8) where group * 8 + Int(index) < Self.count {
            value |= (levels >> index & 1 == 1 ? 2 : 1) << (index * 4)
        }
        return value
    }

    private func noteEdges(start: Int, before: UInt16, after: UInt16) {
        for bit in 0..<16 where (before ^ after) >> UInt16(bit) & 1 == 1 && start + bit < Self.count {
            let pin = UInt32(start + bit)
            self[Register.raw + pin / 8 * 4] |= (after >> UInt16(bit) & 1 == 1 ? 8 : 4) << (pin % 8 * 4)
        }
        updateLine()
    }

    private func updateLine() {
        let isPending = (0..<4).contains { load(Register.status + UInt32($0) * 4) != 0 }
        interrupts.setLine(13, isPending)
    }

    // MARK: Pads

    /// Puts what SIO and PIO drive, and the pads' resistors, on the pins.
    private func drive() {
        for half in 0..<2 {
            var driven: UInt16 = 0, levels: UInt16 = 0, up: UInt16 = 0, down: UInt16 = 0
            for bit in 0..<16 where half * 16 + bit < Self.count {
                let index = half * 16 + bit
                let pad = pads[UInt32(4 + index * 4)]
                let mask = UInt16(1) << UInt16(bit)
                if pad & 0x80 == 0, let level = self.driven(index) {
                    driven |= mask
                    if level { levels |= mask }
                }
                if pad & 8 != 0 { up |= mask }
                if pad & 4 != 0 { down |= mask }
            }
            pins.update(Pin.numberedPort + half) {
                $0.driven = driven
                $0.output = levels
                $0.pullUp = up
                $0.pullDown = down
            }
        }
    }
}

/// PADS_BANK0 (RP2040 datasheet 2.19.6.3).
final class PadControl: AtomicRegisterBlock {
    var onChange: () -> Void = {}

    init() { super.init("PADS_BANK0", base: 0x4001_C000) }

    override func reset() {
        super.reset()
        for index in 0..<UInt32(GPIOBank.count) { self[4 + index * 4] = 0x56 }
        onChange()
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        keep(offset, value, operation)
        onChange()
    }

    override func isPlain(_ offset: UInt32) -> Bool { true }
}

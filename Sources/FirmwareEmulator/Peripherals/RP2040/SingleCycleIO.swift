/// SIO as core 0 sees it: GPIO, FIFO to the other core, spinlocks and the divider (RP2040 datasheet 2.3.1).
///
/// The interpolators keep what is written and do not calculate.
final class SingleCycleIO: Peripheral {
    private enum Register {
        static let cpu: UInt32 = 0x000, input: UInt32 = 0x004, inputHigh: UInt32 = 0x008
        static let fifoStatus: UInt32 = 0x050, fifoWrite: UInt32 = 0x054, fifoRead: UInt32 = 0x058
        static let spinlockState: UInt32 = 0x05C, spinlocks: UInt32 = 0x100
    }

    let name = "SIO"
    let base: UInt32 = 0xD000_0000
    let size: UInt32 = 0x400

    private let gpio: GPIOBank
    private let core: Int
    private let shared: SharedIO
    private var divider = HardwareDivider()
    private var interpolators = [UInt32](repeating: 0, count: 32)

    init(core: Int, gpio: GPIOBank, shared: SharedIO) {
        self.core = core
        self.gpio = gpio
        self.shared = shared
    }

    func reset() {
        divider = HardwareDivider()
        interpolators = Array(repeating: 0, count: 32)
        shared.reset(core)
    }

    /// What a main loop uses as memory of its own.
    var loopState: [UInt32] { divider.words + [shared.spinlocks] }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { word(offset & ~3) >> (8 * (offset & 3)) }

    private func word(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.cpu: return UInt32(core)
        case Register.input: return gpio.observedInput
        case Register.inputHigh: return gpio.inputHigh
        case 0x10, 0x14, 0x18, 0x1C: return gpio.output
        case 0x20, 0x24, 0x28, 0x2C: return gpio.outputEnable
        case 0x30, 0x34, 0x38, 0x3C: return gpio.outputHigh
        case 0x40, 0x44, 0x48, 0x4C: return gpio.outputEnableHigh
        case Register.fifoStatus: return shared.status(core)
        case Register.fifoRead: return shared.take(core)
        case Register.spinlockState: return shared.spinlocks
        case 0x60..<0x7C: return divider.read(offset)
        case 0x80..<0x100: return interpolators[Int(offset - 0x80) / 4]
        case Register.spinlocks..<0x180:
            let bit = UInt32(1) << ((offset - Register.spinlocks) / 4)
            guard shared.spinlocks & bit == 0 else { return 0 }
            shared.spinlocks |= bit
            return bit
        default: return 0
        }
    }

    func write(_ offset: UInt32, width: AccessWidth, value narrow: UInt32) {
        let value = AtomicRegisterBlock.onAllLanes(narrow, width)
        let operation: AtomicRegisterBlock.Operation = [.write, .set, .clear, .xor][Int(offset >> 2 & 3)]
        switch offset & ~3 {
        case 0x10..<0x20: gpio.changeOutput(value, operation)
        case 0x20..<0x30: gpio.changeOutputEnable(value, operation)
        case 0x30..<0x40: gpio.outputHigh = AtomicRegisterBlock.merged(gpio.outputHigh, value, operation)
        case 0x40..<0x50: gpio.outputEnableHigh = AtomicRegisterBlock.merged(gpio.outputEnableHigh, value, operation)
        case Register.fifoStatus: shared.clearErrors(core)
        case Register.fifoWrite: shared.put(core, value)
        case 0x60..<0x7C: divider.write(offset & ~3, value)
        case 0x80..<0x100: interpolators[Int(offset - 0x80) / 4] = value
        case Register.spinlocks..<0x180: shared.spinlocks &= ~(1 << ((offset - Register.spinlocks) / 4))
        default: break
        }
    }

    func isLoopPrivate(_ offset: UInt32) -> Bool {
        0x60..<0x7C ~= offset || Register.spinlocks..<0x180 ~= offset
    }

    func isReadFreely(_ offset: UInt32) -> Bool { offset == Register.cpu || isLoopPrivate(offset) }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        let operation = offset >> 2 & 3
        guard offset < 0x50, offset >= 0x10, width == .word else { return false }
        let old = word(offset)
        let operations: [AtomicRegisterBlock.Operation] = [.write, .set, .clear, .xor]
        return AtomicRegisterBlock.merged(old, value, operations[Int(operation)]) == old
    }

    func isStable(_ offset: UInt32) -> Bool { offset != Register.fifoRead }
}

/// The integer divider of a core: results are there at once (RP2040 datasheet 2.3.1.5).
struct HardwareDivider {
    private var dividend: UInt32 = 0
    private var divisor: UInt32 = 0
    private var quotient: UInt32 = 0
    private var remainder: UInt32 = 0
    private var isDirty = false

    var words: [UInt32] { [dividend, divisor, quotient, remainder, isDirty ? 1 : 0] }

    mutating func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x60, 0x68: return dividend
        case 0x64, 0x6C: return divisor
        case 0x70:
            isDirty = false
            return quotient
        case 0x74: return remainder
        default: return 1 | (isDirty ? 2 : 0)
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32) {
        isDirty = true
        switch offset {
        case 0x60, 0x68: dividend = value
        case 0x64, 0x6C: divisor = value
        case 0x70:
            quotient = value
            return
        case 0x74:
            remainder = value
            return
        default: return
        }
        if offset & 8 == 0 { divide() } else { divideSigned() }
    }

    private mutating func divide() {
        quotient = divisor == 0 ? .max : dividend / divisor
        remainder = divisor == 0 ? dividend : dividend % divisor
    }

    private mutating func divideSigned() {
        let a = Int32(bitPattern: dividend), b = Int32(bitPattern: divisor)
        if b == 0 {
            quotient = a < 0 ? 1 : .max
            remainder = dividend
        } else {
            quotient = UInt32(bitPattern: a.dividedReportingOverflow(by: b).partialValue)
            remainder = UInt32(bitPattern: a.remainderReportingOverflow(dividingBy: b).partialValue)
        }
    }
}

/// What both cores see of SIO: spinlocks and the FIFOs between them (RP2040 datasheet 2.3.1.3, 2.3.1.4).
final class SharedIO {
    static let depth = 8
    var spinlocks: UInt32 = 0
    /// Words on their way to a core.
    private var queues: [[UInt32]] = [[], []]
    private var overflowed = [false, false]
    private var underflowed = [false, false]
    /// Called when what a core's interrupt depends on has changed.
    var onChange: (_ core: Int, _ isPending: Bool) -> Void = { _, _ in }
    /// Called with each word that a core sent; true when it was taken.
    var onWord: (_ from: Int, UInt32) -> Bool = { _, _ in false }

    func reset(_ core: Int) {
        if core == 0 { spinlocks = 0 }
        queues[core] = []
        overflowed[core] = false
        underflowed[core] = false
        update(core)
    }

    /// FIFO_ST: VLD, RDY, WOF, ROE.
    func status(_ core: Int) -> UInt32 {
        (queues[core].isEmpty ? 0 : 1) | (queues[1 - core].count < Self.depth ? 2 : 0)
            | (overflowed[core] ? 4 : 0) | (underflowed[core] ? 8 : 0)
    }

    func clearErrors(_ core: Int) {
        overflowed[core] = false
        underflowed[core] = false
        update(core)
    }

    func put(_ core: Int, _ word: UInt32) {
        if onWord(core, word) { return }
        if queues[1 - core].count < Self.depth {
            queues[1 - core].append(word)
        } else {
            overflowed[core] = true
        }
        update(core)
        update(1 - core)
    }

    /// Gives a core a word, as the other one would.
    func give(_ core: Int, _ word: UInt32) {
        if queues[core].count < Self.depth { queues[core].append(word) }
        update(core)
    }

    func take(_ core: Int) -> UInt32 {
        guard !queues[core].isEmpty else {
            underflowed[core] = true
            update(core)
            return 0
        }
        let word = queues[core].removeFirst()
        update(core)
        return word
    }

    private func update(_ core: Int) {
        onChange(core, !queues[core].isEmpty || overflowed[core] || underflowed[core])
    }
}

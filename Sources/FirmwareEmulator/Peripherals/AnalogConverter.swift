/// ADC of F0 (RM0091 chapter 13). Conversions are instant; inputs are what the board says, else noise around the middle.
final class AnalogConverter: RegisterBlock {
    private let interrupts: any InterruptLines
    private let irq: Int
    private let sample: (_ channel: Int) -> UInt16
    private let dma: DMAController?
    private var sequence: [Int] = []
    private var isContinuous: Bool { self[0x0C] & 0x2000 != 0 }

    init(
        interrupts: any InterruptLines, irq: Int, dma: DMAController?, sample: @escaping (_ channel: Int) -> UInt16
    ) {
        self.interrupts = interrupts
        self.irq = irq
        self.dma = dma
        self.sample = sample
        super.init("ADC", base: 0x4001_2400)
    }

    override func reset() {
        super.reset()
        sequence = []
        updateLine()
    }

    private enum Control {
        static let enable: UInt32 = 1 << 0
        static let disable: UInt32 = 1 << 1
        static let start: UInt32 = 1 << 2
        static let stop: UInt32 = 1 << 4
        static let calibrate: UInt32 = 1 << 31
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == 0x40 else { return self[offset] }
        let value = self[0x40]
        self[0x00] &= ~4
        if self[0x08] & Control.start != 0 { convert() }
        return value
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00:
            self[0x00] &= ~(value & mask)
            if self[0x08] & Control.start != 0, value & 4 != 0 { convert() }
        case 0x08: control(value & mask)
        case 0x40: break
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    private func control(_ value: UInt32) {
        // ADCAL ends at once; ADDIS clears ADEN and itself; ADSTP ends conversions and itself.
        if value & Control.enable != 0 {
            self[0x08] |= Control.enable
            self[0x00] |= 1
        }
        if value & Control.disable != 0 {
            self[0x08] &= ~(Control.enable | Control.start)
            self[0x00] &= ~1
        }
        if value & Control.stop != 0 {
            self[0x08] &= ~Control.start
            sequence = []
        }
        if value & Control.start != 0, self[0x08] & Control.enable != 0 {
            self[0x08] |= Control.start
            sequence = []
            convert()
        }
    }

    /// Converts the next selected channel, or all of them at once when DMA takes the results.
    private func convert() {
        if sequence.isEmpty {
            guard self[0x00] & 8 == 0 || isContinuous else {
                self[0x08] &= ~Control.start
                return
            }
            sequence = (0..<19).filter { self[0x28] >> UInt32($0) & 1 == 1 }
        }
        let usesDMA = self[0x0C] & 1 != 0
        repeat {
            guard let channel = sequence.first else {
                self[0x08] &= ~Control.start
                return
            }
            sequence.removeFirst()
            self[0x40] = UInt32(sample(channel)) >> (self[0x0C] >> 3 & 3) * 2
            self[0x00] |= 4 | 2
            if sequence.isEmpty {
                self[0x00] |= 8
                if !isContinuous { self[0x08] &= ~Control.start }
            }
            if usesDMA {
                guard dma?.request(channel: 1) == true else { return }
                if sequence.isEmpty, isContinuous {
                    sequence = (0..<19).filter { self[0x28] >> UInt32($0) & 1 == 1 }
                }
            }
        } while usesDMA && !sequence.isEmpty
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x40 }

    private func updateLine() { interrupts.setLine(irq, self[0x00] & self[0x04] & 0x9F != 0) }
}

/// ADC of F1 (RM0008 chapter 11). Calibration and conversions are instant.
final class AnalogConverterF1: RegisterBlock {
    private let interrupts: any InterruptLines
    private let irq: Int
    private let sample: (_ channel: Int) -> UInt16
    private let dma: DMAController?

    init(
        _ name: String, base: UInt32, interrupts: any InterruptLines, irq: Int, dma: DMAController?,
        sample: @escaping (_ channel: Int) -> UInt16
    ) {
        self.interrupts = interrupts
        self.irq = irq
        self.dma = dma
        self.sample = sample
        super.init(name, base: base)
    }

    override func reset() {
        super.reset()
        updateLine()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == 0x4C else { return self[offset] }
        self[0x00] &= ~2
        let value = self[0x4C]
        if self[0x08] & 3 == 3 { convert() }
        return value
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00: self[0x00] &= value | ~mask
        case 0x08:
            let wasOn = self[0x08] & 1 != 0
            keep(offset, value & ~0xC, mask: mask)
            self[0x08] &= ~0xC
            let starts = value & (1 << 22) != 0 || value & (1 << 20) == 0 && wasOn && value & mask & 1 != 0
            self[0x08] &= ~(1 << 22)
            if self[0x08] & 1 != 0, starts { convert() }
        case 0x4C: break
        default: keep(offset, value, mask: mask)
        }
        updateLine()
    }

    /// Channels of the regular sequence, SQR3 to SQR1.
    private var sequence: [Int] {
        let count = self[0x04] & (1 << 8) != 0 ? Int(self[0x2C] >> 20 & 0xF) + 1 : 1
        return (0..<count).map { position in
            let register: UInt32 = position < 6 ? 0x34 : position < 12 ? 0x30 : 0x2C
            return Int(self[register] >> UInt32(position % 6 * 5) & 0x1F)
        }
    }

    private func convert() {
        let usesDMA = self[0x08] & (1 << 8) != 0
        // With DMA a continuous converter runs until the channel is done, all at once.
        var rounds = 0
        repeat {
            var isTaken = false
            for channel in sequence {
                self[0x4C] = UInt32(sample(channel))
                self[0x00] |= 2 | 0x10
                if usesDMA { isTaken = dma?.request(channel: 1) == true }
            }
            rounds += 1
            guard usesDMA, isTaken, self[0x08] & 2 != 0, rounds < 65_536 else { break }
        } while true
        updateLine()
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x4C }

    private func updateLine() {
        // EOCIE 5, AWDIE 6, JEOCIE 7 of CR1.
        let status = self[0x00]
        let isHigh =
            status & 2 != 0 && self[0x04] & 0x20 != 0 || status & 1 != 0 && self[0x04] & 0x40 != 0
            || status & 4 != 0 && self[0x04] & 0x80 != 0
        interrupts.setLine(irq, isHigh)
    }
}

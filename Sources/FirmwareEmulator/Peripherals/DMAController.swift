/// DMA1: up to seven channels; memory to memory at once, else one item for each request (RM0091 chapter 10).
final class DMAController: RegisterBlock {
    private unowned let memory: MemoryMap
    private let interrupts: any InterruptLines
    private let irqs: [Int]
    private var remaining = [UInt32](repeating: 0, count: 7)
    private var position = [UInt32](repeating: 0, count: 7)
    /// A transfer that reaches the controller's own registers must not start another.
    private var isMoving = false
    /// Called with a channel, 1…7, that has just been enabled: a peripheral whose request was not taken asks again.
    var onEnable: [(Int) -> Void] = []

    /// - Parameter irqs: interrupt of each channel, the first for channel 1.
    init(
        _ name: String = "DMA1", base: UInt32 = 0x4002_0000, memory: MemoryMap, interrupts: any InterruptLines,
        irqs: [Int]
    ) {
        self.memory = memory
        self.interrupts = interrupts
        self.irqs = irqs
        super.init(name, base: base)
    }

    private enum Control {
        static let enable: UInt32 = 1 << 0
        static let fromMemory: UInt32 = 1 << 4
        static let circular: UInt32 = 1 << 5
        static let peripheralIncrement: UInt32 = 1 << 6
        static let memoryIncrement: UInt32 = 1 << 7
        static let memoryToMemory: UInt32 = 1 << 14
    }

    override func reset() {
        super.reset()
        remaining = Array(repeating: 0, count: 7)
        updateLines()
    }

    private func channel(of offset: UInt32) -> (index: Int, register: UInt32)? {
        guard offset >= 0x08, offset < 0x08 + 7 * 20 else { return nil }
        return (Int((offset - 8) / 20), (offset - 8) % 20)
    }

    override func load(_ offset: UInt32) -> UInt32 {
        if offset == 0x04 { return 0 }
        if let (index, register) = channel(of: offset), register == 4 { return remaining[index] }
        return self[offset]
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        if offset == 0x04 {
            // A cleared global flag clears the other three.
            for index in 0..<7 where value >> UInt32(index * 4) & 1 == 1 { self[0] &= ~(0xF << UInt32(index * 4)) }
            self[0] &= ~value
        } else if let (index, register) = channel(of: offset) {
            let wasEnabled = self[8 + UInt32(index) * 20] & Control.enable != 0
            keep(offset, value, mask: mask)
            if register == 4, !wasEnabled { remaining[index] = value & 0xFFFF }
            if register == 0, !wasEnabled, value & Control.enable != 0 { start(index) }
        }
        updateLines()
    }

    private func start(_ index: Int) {
        let base = 8 + UInt32(index) * 20
        self[base + 4] = remaining[index]
        position[index] = 0
        guard !isMoving else { return }
        guard self[base] & Control.memoryToMemory != 0 else {
            for action in onEnable { action(index + 1) }
            return
        }
        while remaining[index] > 0 { moveOne(index) }
    }

    /// A peripheral's request moves one item.
    ///
    /// - Parameter channel: 1…7.
    /// - Returns: whether the channel takes further requests.
    @discardableResult
    func request(channel: Int) -> Bool {
        let index = channel - 1
        guard (0..<7).contains(index), self[8 + UInt32(index) * 20] & Control.enable != 0, remaining[index] > 0,
            !isMoving
        else { return false }
        moveOne(index)
        updateLines()
        return remaining[index] > 0 && self[8 + UInt32(index) * 20] & Control.circular == 0
    }

    private func moveOne(_ index: Int) {
        let base = 8 + UInt32(index) * 20
        let control = self[base]
        let widths: [AccessWidth] = [.byte, .half, .word, .word]
        let peripheralWidth = widths[Int(control >> 8 & 3)]
        let memoryWidth = widths[Int(control >> 10 & 3)]
        let step = position[index]
        let peripheral =
            self[base + 8] &+ (control & Control.peripheralIncrement != 0 ? step * peripheralWidth.rawValue : 0)
        let place = self[base + 12] &+ (control & Control.memoryIncrement != 0 ? step * memoryWidth.rawValue : 0)
        isMoving = true
        if control & Control.fromMemory != 0 {
            memory.write(peripheral, width: peripheralWidth, value: memory.read(place, width: memoryWidth) ?? 0)
        } else {
            memory.write(place, width: memoryWidth, value: memory.read(peripheral, width: peripheralWidth) ?? 0)
        }
        isMoving = false
        position[index] = step + 1
        remaining[index] -= 1
        let shift = UInt32(index * 4)
        if remaining[index] == self[base + 4] / 2 { self[0] |= 0x5 << shift }
        if remaining[index] == 0 {
            self[0] |= 0x3 << shift
            if control & Control.circular != 0 {
                remaining[index] = self[base + 4]
                position[index] = 0
            }
        }
    }

    private func updateLines() {
        var wanted: [Int: Bool] = [:]
        for index in 0..<min(7, irqs.count) {
            let isHigh = self[0] >> UInt32(index * 4) & self[8 + UInt32(index) * 20] & 0xE != 0
            wanted[irqs[index], default: false] = wanted[irqs[index], default: false] || isHigh
        }
        for (irq, isHigh) in wanted { interrupts.setLine(irq, isHigh) }
    }
}

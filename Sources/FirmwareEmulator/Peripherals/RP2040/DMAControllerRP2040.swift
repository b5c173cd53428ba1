/// DMA of the RP2040: twelve channels, chaining, rings and the sniffer's sums (datasheet 2.5).
///
/// A transfer that no peripheral paces is done at once; a paced one whenever its peripheral asks for data.
final class DMAControllerRP2040: AtomicRegisterBlock {
    static let channelCount = 12
    private static let unpaced: UInt32 = 0x3F
    /// Transfers that a trigger may make before others come first: bounds a channel that chains to itself.
    private static let burst = 1 << 16

    private enum Control {
        static let enable: UInt32 = 1, busy: UInt32 = 1 << 24, quiet: UInt32 = 1 << 21, swap: UInt32 = 1 << 22
        static let sniff: UInt32 = 1 << 23, writeError: UInt32 = 1 << 29, readError: UInt32 = 1 << 30
    }

    private struct Channel {
        var read: UInt32 = 0
        var write: UInt32 = 0
        var count: UInt32 = 0
        var reload: UInt32 = 0
        var control: UInt32 = 0
        var isBusy = false

        var width: AccessWidth { [.byte, .half, .word, .word][Int(control >> 2 & 3)] }
        var request: UInt32 { control >> 15 & 0x3F }
        var chain: Int { Int(control >> 11 & 0xF) }
    }

    private unowned let memory: MemoryMap
    private let interrupts: any InterruptLines
    private let clock: VirtualClock
    private var channels = [Channel](repeating: Channel(), count: channelCount)
    private var raw: UInt32 = 0
    private var event: ClockEvent?
    /// Whether a peripheral wants a transfer, by the number of its request.
    var isRequested: (UInt32) -> Bool = { _ in true }
    private var isStepping = false

    init(memory: MemoryMap, clock: VirtualClock, interrupts: any InterruptLines) {
        self.memory = memory
        self.clock = clock
        self.interrupts = interrupts
        super.init("DMA", base: 0x5000_0000, used: 0x450)
        event = clock.event("DMA") { [unowned self] in step() }
    }

    override func reset() {
        super.reset()
        channels = Array(repeating: Channel(), count: Self.channelCount)
        for index in channels.indices { channels[index].control = UInt32(index) << 11 }
        raw = 0
        event?.cancel()
        updateLines()
    }

    /// Whether a channel that runs is paced by one of these requests.
    func awaits(_ requests: Range<UInt32>) -> Bool {
        channels.contains { $0.isBusy && requests.contains($0.request) }
    }

    // MARK: Registers

    /// The registers of a channel in the order of its four aliases; the last of each starts it.
    private static let order: [[Int]] = [[0, 1, 2, 3], [3, 0, 1, 2], [3, 2, 0, 1], [3, 1, 2, 0]]

    override func load(_ offset: UInt32) -> UInt32 {
        if offset < 0x300 {
            let channel = channels[Int(offset / 0x40)]
            switch Self.order[Int(offset / 0x10 & 3)][Int(offset / 4 & 3)] {
            case 0: return channel.read
            case 1: return channel.write
            case 2: return channel.count
            default: return channel.control | (channel.isBusy ? Control.busy : 0)
            }
        }
        switch offset {
        case 0x400: return raw
        case 0x40C: return (raw | self[0x408]) & self[0x404]
        case 0x41C: return (raw | self[0x418]) & self[0x414]
        case 0x444: return 0
        case 0x448: return UInt32(Self.channelCount)
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        if offset < 0x300 {
            storeChannel(Int(offset / 0x40), Int(offset / 0x10 & 3), Int(offset / 4 & 3), value, operation)
        } else {
            switch offset {
            case 0x400: raw &= ~value
            case 0x40C, 0x41C: raw &= ~value
            case 0x430: for index in 0..<Self.channelCount where value >> UInt32(index) & 1 == 1 { trigger(index) }
            case 0x444:
                for index in 0..<Self.channelCount where value >> UInt32(index) & 1 == 1 {
                    channels[index].isBusy = false
                }
            default: keep(offset, value, operation)
            }
        }
        updateLines()
        step()
    }

    private func storeChannel(_ index: Int, _ alias: Int, _ place: Int, _ value: UInt32, _ operation: Operation) {
        let register = Self.order[alias][place]
        func merged(_ old: UInt32) -> UInt32 { Self.merged(old, value, operation) }
        switch register {
        case 0: channels[index].read = merged(channels[index].read)
        case 1: channels[index].write = merged(channels[index].write)
        case 2:
            channels[index].reload = merged(channels[index].reload)
            if !channels[index].isBusy { channels[index].count = channels[index].reload }
        default:
            let old = channels[index].control
            let errors = old & (Control.readError | Control.writeError) & ~value
            channels[index].control = merged(old) & 0x00FF_FFFF | errors
        }
        guard place == 3 else { return }
        // Writing 0 to a trigger starts nothing, and says so where that is wanted (2.5.2.3).
        if value == 0, register != 3 {
            if channels[index].control & Control.quiet != 0 { raw |= 1 << UInt32(index) }
        } else {
            trigger(index)
        }
    }

    private func trigger(_ index: Int) {
        guard channels[index].control & Control.enable != 0, !channels[index].isBusy else { return }
        channels[index].count = channels[index].reload
        channels[index].isBusy = channels[index].count > 0
        if !channels[index].isBusy { finish(index) }
    }

    private func finish(_ index: Int) {
        channels[index].isBusy = false
        if channels[index].control & Control.quiet == 0 { raw |= 1 << UInt32(index) }
        let chain = channels[index].chain
        if chain != index, channels.indices.contains(chain) { trigger(chain) }
    }

    // MARK: Transfers

    /// Called by peripherals that have or want data.
    func step() {
        // Registers that are written by a transfer may start another one: it takes its turn here.
        guard !isStepping else { return }
        isStepping = true
        defer { isStepping = false }
        var left = Self.burst
        var didMove = true
        while didMove, left > 0 {
            didMove = false
            for index in channels.indices where channels[index].isBusy {
                while channels[index].isBusy, channels[index].control & Control.enable != 0, left > 0,
                    isDue(channels[index].request)
                {
                    transfer(index)
                    left -= 1
                    didMove = true
                }
            }
        }
        updateLines()
        // Requests of the pacing timers and of what is polled here come by themselves.
        if channels.contains(where: \.isBusy) {
            event?.schedule(after: max(clock.cycles(nanoseconds: left == 0 ? 100_000 : 20_000), 1))
        } else {
            event?.cancel()
        }
    }

    private func isDue(_ request: UInt32) -> Bool { request == Self.unpaced || isRequested(request) }

    private func transfer(_ index: Int) {
        let channel = channels[index]
        let width = channel.width
        guard var value = memory.read(channel.read & ~(width.rawValue - 1), width: width) else {
            return fail(index, Control.readError)
        }
        if channel.control & Control.swap != 0 {
            value = width == .word ? value.byteSwapped : width == .half ? value.byteSwapped >> 16 : value
        }
        if channel.control & Control.sniff != 0, self[0x434] & 1 == 1, Int(self[0x434] >> 1 & 0xF) == index {
            sniff(value, width)
        }
        guard memory.write(channel.write & ~(width.rawValue - 1), width: width, value: value) else {
            return fail(index, Control.writeError)
        }
        if channel.control & 1 << 4 != 0 { advance(&channels[index].read, channel, isWrite: false) }
        if channel.control & 1 << 5 != 0 { advance(&channels[index].write, channel, isWrite: true) }
        channels[index].count -= 1
        if channels[index].count == 0 { finish(index) }
    }

    private func fail(_ index: Int, _ error: UInt32) {
        channels[index].isBusy = false
        channels[index].control |= error
        raw |= 1 << UInt32(index)
    }

    private func advance(_ address: inout UInt32, _ channel: Channel, isWrite: Bool) {
        let bits = channel.control >> 6 & 0xF
        let next = address &+ channel.width.rawValue
        guard bits > 0, (channel.control >> 10 & 1 == 1) == isWrite else {
            address = next
            return
        }
        let mask = UInt32(1) << bits - 1
        address = address & ~mask | next & mask
    }

    /// SNIFF_DATA: the sums of section 2.5.5.2.
    private func sniff(_ value: UInt32, _ width: AccessWidth) {
        var sum = self[0x438]
        switch self[0x434] >> 5 & 0xF {
        case 0x0, 0x1:
            let isReversed = self[0x434] >> 5 & 0xF == 1
            for index in 0..<width.rawValue {
                var byte = value >> (index * 8) & 0xFF
                if isReversed { byte = (0..<8).reduce(0) { $0 | (byte >> $1 & 1) << (7 - $1) } }
                sum ^= byte << 24
                for _ in 0..<8 { sum = sum & 0x8000_0000 != 0 ? sum << 1 ^ 0x04C1_1DB7 : sum << 1 }
            }
        case 0x2, 0x3:
            let isReversed = self[0x434] >> 5 & 0xF == 3
            for index in 0..<width.rawValue {
                var byte = value >> (index * 8) & 0xFF
                if isReversed { byte = (0..<8).reduce(0) { $0 | (byte >> $1 & 1) << (7 - $1) } }
                sum ^= byte << 8
                for _ in 0..<8 { sum = sum & 0x8000 != 0 ? (sum << 1 ^ 0x1021) & 0xFFFF : sum << 1 & 0xFFFF }
            }
        case 0xE: sum ^= value.nonzeroBitCount & 1 == 1 ? 1 : 0
        case 0xF: sum = sum &+ value
        default: break
        }
        self[0x438] = sum
    }

    private func updateLines() {
        interrupts.setLine(11, load(0x40C) != 0)
        interrupts.setLine(12, load(0x41C) != 0)
    }
}

/// A PIO block: four state machines that share 32 instructions and eight flags (RP2040 datasheet 3).
///
/// It is brought up to date when somebody looks: at an access to its registers or to the pins, and at events while an
/// interrupt or DMA waits for it. A machine that runs without end and is not waited for costs nothing. INLINE_OUT_EN and
/// OUT_STICKY are kept and not followed; inputs are not delayed by their synchronisers.
final class ProgrammableIO: AtomicRegisterBlock {
    private enum Register {
        static let control: UInt32 = 0x00, state: UInt32 = 0x04, debug: UInt32 = 0x08, levels: UInt32 = 0x0C
        static let transmit: UInt32 = 0x10, receive: UInt32 = 0x20, flags: UInt32 = 0x30, force: UInt32 = 0x34
        static let padOutput: UInt32 = 0x3C, padEnable: UInt32 = 0x40, configuration: UInt32 = 0x44
        static let program: UInt32 = 0x48, machines: UInt32 = 0xC8, raw: UInt32 = 0x128
        /// Enable, force and status of each of the two interrupts.
        static let interrupts: UInt32 = 0x12C, end: UInt32 = 0x144
    }

    /// Instructions executed at one look; what a machine would have done beyond them is left out.
    private static let budget = 8192
    /// Cycles between looks while an interrupt or DMA waits.
    private static let pace: UInt64 = 1000

    private let clock: VirtualClock
    private let interrupts: any InterruptLines
    private let irqs: [Int]
    private var event: ClockEvent?
    private var isSettling = false

    var machines = (0..<4).map { PIOStateMachine(index: $0) }
    var program = [UInt16](repeating: 0, count: 32)
    var flags: UInt32 = 0
    var debug: UInt32 = 0
    var padOutput: UInt32 = 0
    var padEnable: UInt32 = 0
    /// The present instruction has set the counter.
    var hasJumped = false
    var queuesChanged = false

    /// The levels of GPIO 0…29.
    var levels: () -> UInt32 = { 0 }
    /// Called with output and enable of all pins.
    var onPins: (UInt32, UInt32) -> Void = { _, _ in }
    /// Called when a FIFO has more or less in it.
    var onQueues: () -> Void = {}
    /// Whether DMA waits for one of its FIFOs.
    var isAwaitedByDMA: () -> Bool = { false }

    /// - Parameter irqs: the numbers of its two interrupts.
    init(_ name: String, base: UInt32, clock: VirtualClock, interrupts: any InterruptLines, irqs: [Int]) {
        self.clock = clock
        self.interrupts = interrupts
        self.irqs = irqs
        super.init(name, base: base, used: Register.end)
        event = clock.event(name) { [unowned self] in settle() }
    }

    override func reset() {
        super.reset()
        machines = (0..<4).map { PIOStateMachine(index: $0) }
        program = Array(repeating: 0, count: 32)
        (flags, debug, padOutput, padEnable) = (0, 0, 0, 0)
        event?.cancel()
        onPins(0, 0)
        updateLines()
    }

    /// A DREQ: 0…3 of the transmit FIFOs, 4…7 of the receive FIFOs.
    func isRequested(_ request: Int) -> Bool {
        let machine = machines[request & 3]
        return request < 4 ? machine.transmit.count < machine.transmitDepth : !machine.receive.isEmpty
    }

    /// Levels of pins have changed that are not its own.
    func inputChanged() {
        guard !isSettling, machines.contains(where: \.isBlocked) else { return }
        wake()
        event?.schedule(after: 1)
    }

    // MARK: Time

    /// Something has changed that machines may wait for.
    func change(_ body: () -> Void) {
        body()
        wake()
    }

    private func wake() {
        for index in machines.indices where machines[index].isBlocked { machines[index].isBlocked = false }
    }

    /// Executes what is due by now.
    func settle() {
        guard !isSettling else { return }
        isSettling = true
        let now = clock.now << 8
        var left = Self.budget
        while let next = nextMachine(until: now) {
            let at = machines[next].due
            execute(next)
            // Those that it has woken wait no longer than until now.
            for index in machines.indices where machines[index].due < at { machines[index].due = at }
            left -= 1
            if left == 0 { break }
        }
        for index in machines.indices where machines[index].due < now { machines[index].due = now }
        isSettling = false
        updateLines()
        if queuesChanged {
            queuesChanged = false
            onQueues()
        }
        schedule()
    }

    private func nextMachine(until now: UInt64) -> Int? {
        var best: Int?
        for index in machines.indices where machines[index].isActive && machines[index].due <= now {
            if let present = best, machines[present].due <= machines[index].due { continue }
            best = index
        }
        return best
    }

    private func schedule() {
        guard machines.contains(where: \.isActive), isAwaited else {
            event?.cancel()
            return
        }
        event?.schedule(after: Self.pace)
    }

    private var isAwaited: Bool {
        self[Register.interrupts] | self[Register.interrupts + 12] != 0 || isAwaitedByDMA()
            || machines.contains { $0.forced != nil }
    }

    // MARK: Interrupts

    private var raw: UInt32 {
        var value = flags << 8 & 0xF00
        for (index, machine) in machines.enumerated() {
            if !machine.receive.isEmpty { value |= 1 << UInt32(index) }
            if machine.transmit.count < machine.transmitDepth { value |= 1 << UInt32(4 + index) }
        }
        return value
    }

    private func status(_ interrupt: UInt32) -> UInt32 {
        raw & self[Register.interrupts + interrupt * 12] | self[Register.interrupts + interrupt * 12 + 4]
    }

    private func updateLines() {
        for index in 0..<2 { interrupts.setLine(irqs[index], status(UInt32(index)) != 0) }
    }

    // MARK: Registers

    override func load(_ offset: UInt32) -> UInt32 {
        if offset < Register.program || offset >= Register.machines { settle() }
        switch offset {
        case Register.control: return machines.reduce(0) { $0 | ($1.isEnabled ? 1 << $1.index : 0) }
        case Register.state: return queueState
        case Register.debug: return debug
        case Register.levels:
            return machines.reduce(0) {
                $0 | (UInt32($1.transmit.count) | UInt32($1.receive.count) << 4) << ($1.index * 8)
            }
        case Register.receive..<Register.flags: return take(Int(offset - Register.receive) / 4)
        case Register.flags: return flags
        case Register.padOutput: return padOutput
        case Register.padEnable: return padEnable
        case Register.configuration: return 0x0020_0404
        case Register.machines..<Register.raw:
            let place = offset - Register.machines
            return loadMachine(machines[Int(place / 0x18)], place % 0x18)
        case Register.raw: return raw
        case Register.interrupts + 8: return status(0)
        case Register.interrupts + 20: return status(1)
        case Register.interrupts..<Register.end: return self[offset]
        default: return 0
        }
    }

    /// FSTAT.
    private var queueState: UInt32 {
        var value: UInt32 = 0
        for machine in machines {
            if machine.receive.count >= machine.receiveDepth { value |= 1 << machine.index }
            if machine.receive.isEmpty { value |= 1 << (8 + machine.index) }
            if machine.transmit.count >= machine.transmitDepth { value |= 1 << (16 + machine.index) }
            if machine.transmit.isEmpty { value |= 1 << (24 + machine.index) }
        }
        return value
    }

    private func loadMachine(_ machine: PIOStateMachine, _ place: UInt32) -> UInt32 {
        switch place {
        case 0x00: machine.clockDivider
        case 0x04: machine.execution & 0x7FFF_FFFF | (machine.forced != nil && machine.isBlocked ? 1 << 31 : 0)
        case 0x08: machine.shift
        case 0x0C: machine.counter
        case 0x10: UInt32(machine.forced ?? program[Int(machine.counter)])
        default: machine.pins
        }
    }

    private func take(_ number: Int) -> UInt32 {
        guard !machines[number].receive.isEmpty else {
            debug |= 1 << UInt32(8 + number)
            return 0
        }
        var value: UInt32 = 0
        change { value = machines[number].receive.removeFirst() }
        settle()
        return value
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        settle()
        switch offset {
        case Register.control: control(Self.merged(load(Register.control), value, operation))
        case Register.debug: debug &= ~value
        case Register.transmit..<Register.receive:
            let number = Int(offset - Register.transmit) / 4
            if machines[number].transmit.count < machines[number].transmitDepth {
                change { machines[number].transmit.append(value) }
            } else {
                debug |= 1 << UInt32(16 + number)
            }
        case Register.flags: change { flags &= ~value }
        case Register.force: change { flags |= value & 0xFF }
        case Register.program..<Register.machines:
            program[Int(offset - Register.program) / 4] = UInt16(truncatingIfNeeded: value)
        case Register.machines..<Register.raw:
            let place = offset - Register.machines
            storeMachine(Int(place / 0x18), place % 0x18, value, operation)
        default: keep(offset, value, operation)
        }
        settle()
    }

    private func control(_ value: UInt32) {
        for index in machines.indices {
            if value >> UInt32(4 + index) & 1 == 1 { machines[index].restart() }
            let isEnabled = value >> UInt32(index) & 1 == 1
            if isEnabled != machines[index].isEnabled || value >> UInt32(8 + index) & 1 == 1 {
                machines[index].due = clock.now << 8
            }
            machines[index].isEnabled = isEnabled
        }
        wake()
    }

    private func storeMachine(_ number: Int, _ place: UInt32, _ value: UInt32, _ operation: Operation) {
        func merge(_ register: inout UInt32) { register = Self.merged(register, value, operation) }
        switch place {
        case 0x00: merge(&machines[number].clockDivider)
        case 0x04: merge(&machines[number].execution)
        case 0x08:
            let before = machines[number].shift
            merge(&machines[number].shift)
            // Joining the FIFOs, and parting them, empties them (3.5.6.1).
            if (before ^ machines[number].shift) >> 30 != 0 {
                machines[number].transmit = []
                machines[number].receive = []
            }
        case 0x10:
            machines[number].forced = UInt16(truncatingIfNeeded: value)
            machines[number].awaitsClear = false
            machines[number].due = clock.now << 8
        case 0x14: merge(&machines[number].pins)
        default: break
        }
        wake()
    }

    /// What is waited for comes from outside, or at an event.
    override func isSteady(_ offset: UInt32) -> Bool {
        switch offset {
        case Register.receive..<Register.flags: false
        case Register.program..<Register.machines: true
        default: !machines.contains(where: \.isActive)
        }
    }
}

/// A microcontroller without its name: a CPU, its memory map, its interrupt controller and its virtual time. Chips add
/// memory and peripherals. Confined to one thread at a time.
public final class Machine {
    /// What the CPU is doing, for the operator.
    public enum Activity: Sendable {
        case running
        /// Waiting for an interrupt (WFI, WFE).
        case sleeping
        /// In a main loop that only waits: skipped to the next event.
        case skipped
        case faulted
    }

    public let model: CoreModel
    public let memory: MemoryMap
    public let clock: VirtualClock
    /// For peripherals: their interrupt lines.
    public var interrupts: any InterruptLines { controller }
    public var symbols: (any SymbolProvider)?
    /// Called in the machine's turn.
    public var onDiagnostic: ((Diagnostic) -> Void)?
    /// Where a reset finds the vector table instead of at 0, as if a boot loader had gone there.
    var bootVectors: UInt32?
    public internal(set) var activity = Activity.running
    /// The fault that was handed to firmware's own handler last, if any: many handlers are an endless loop.
    var lastFault: Fault?
    /// Where faults were told of.
    var toldFaults: Set<UInt32> = []
    static let toldFaultLimit = 32
    /// Whether BKPT stops ``run(untilCycle:)``; without it, and without a hook, it is a HardFault.
    public var haltsOnBKPT = false
    /// Asked for each BKPT with its number; true when it was dealt with and firmware goes on behind it: semihosting.
    public var onBKPT: ((UInt32) -> Bool)?
    /// Whether loops that only wait may be skipped.
    public var skipsIdleLoops = true
    /// Cycles that passed without being executed: sleep and skipped loops.
    public internal(set) var skippedCycles: UInt64 = 0
    /// Whether the CPU shows every flag after every instruction; slower, for debuggers.
    public var isPrecise = false {
        didSet { if isPrecise != oldValue { needsForget = true } }
    }

    let controller = InterruptController()
    let state: Core
    let registers: UnsafeMutablePointer<UInt32>
    let blocks = ConditionalBlocks()
    let floats: UnsafeMutablePointer<UInt32>
    lazy var system = SystemControl(machine: self)
    let idle = IdleDetector()
    /// Room for comparing what ``idle`` remembers.
    var loopState: [UInt32] = []
    /// Those with a ``Peripheral/loopState``.
    var loopPeripherals: [any Peripheral] = []
    let polls = PollWatch()
    var debug = DebugState()

    /// What runs where no code can be: nothing.
    let deadMapping: CodeMapping
    private let deadRegion: MemoryRegion

    // Special registers (ARMv7-M ARM B1.4)
    var isHandler: Bool { ipsr != 0 }
    var ipsr: UInt32 = 0
    var primask: UInt32 = 0
    var faultmask: UInt32 = 0
    var basepri: UInt32 = 0
    /// CONTROL: nPRIV 0, SPSEL 1, FPCA 2.
    var control: UInt32 = 0
    /// The stack pointer that is not in r13.
    var otherStackPointer: UInt32 = 0
    var apsrQ = false
    var apsrGE: UInt32 = 0
    var fpscr: UInt32 = 0
    var exclusiveAddress: UInt32?

    // What the executor left for the run loop
    var pendingFault: Fault?
    var pendingJump: UInt32?
    var pendingHalt = false
    /// ITSTATE while instructions of a block are executed one by one.
    var itState: UInt8 = 0
    var isWaiting = false
    var waitsForEvent = false
    var eventRegister = false
    /// Tells the other core of an event that was sent.
    var onSendEvent: (() -> Void)?
    var wantsReset = false
    var wantsStop = false
    var needsForget = false
    var interruptsChanged = true
    var lockup: FaultReport?

    /// - Parameter sharing: the first core of the chip, whose memory and peripherals this one shares; its system
    ///   registers are not on the bus then.
    public init(model: CoreModel, hertz: UInt64, sharing first: Machine? = nil) {
        self.model = model
        memory = first?.memory ?? MemoryMap()
        clock = VirtualClock(hertz: hertz)
        registers = .allocate(capacity: 32)
        registers.initialize(repeating: 0, count: 32)
        floats = .allocate(capacity: 32)
        floats.initialize(repeating: 0, count: 32)
        let trace = UnsafeMutablePointer<Int>.allocate(capacity: CoreState.traceLength * 2)
        trace.initialize(repeating: 0, count: CoreState.traceLength * 2)
        state = .allocate(capacity: 1)
        deadRegion = MemoryRegion(name: "nothing", kind: .rom, base: 0, size: 0, fill: 0)
        deadMapping = CodeMapping(base: 0, size: 0, regionOffset: 0, region: deadRegion)
        let nowhere = deadMapping.ops
        state.initialize(
            to: CoreState(
                ip: nowhere, deadline: 0, budget: 0, opsBase: Int(bitPattern: nowhere), codeBase: 0, codeLimit: 0,
                windows: memory.windows, registers: registers, trace: trace))
        memory.hasBitBand = model == .cortexM3 || model == .cortexM4 || model == .cortexM4F
        memory.onCodeWritten.append { [unowned self] in
            needsForget = true
            leaveSoon()
        }
        memory.onChange.append { [unowned self] in
            needsForget = true
            leaveSoon()
        }
        controller.onChange = { [unowned self] in
            interruptsChanged = true
            leaveSoon()
        }
        clock.onScheduleChange = { [unowned self] in adjustDeadline() }
        clock.readNow = { [unowned self] in clock.settled &+ UInt64(max(executedCycles, 0)) }
        guard first == nil else { return }
        memory.add(system)
        memory.add(DataWatchpointUnit(clock: clock))
    }

    deinit {
        state.pointee.trace.deallocate()
        state.deallocate()
        registers.deallocate()
        floats.deallocate()
    }

    /// Power-on or system reset: registers, peripherals, then the vector table's first two words.
    public func reset() {
        for peripheral in memory.peripherals { peripheral.reset() }
        resetCore()
        if let bootVectors { system.setVectorTable(bootVectors) }
        let vectors = bootVectors ?? system.vectorTable
        guard let stack = memory.read(vectors, width: .word), let entry = memory.read(vectors &+ 4, width: .word) else {
            lockup = report("no vector table at \(hex(vectors))")
            return
        }
        registers[13] = stack & ~3
        pendingJump = entry
    }

    /// Starts a core that another one has given vectors, stack and entry.
    func start(vectors: UInt32, stack: UInt32, entry: UInt32) {
        system.reset()
        resetCore()
        system.setVectorTable(vectors)
        registers[13] = stack & ~3
        pendingJump = entry
    }

    private func resetCore() {
        controller.reset()
        ipsr = 0
        primask = 0
        faultmask = 0
        basepri = 0
        control = 0
        otherStackPointer = 0
        apsrQ = false
        apsrGE = 0
        fpscr = 0
        exclusiveAddress = nil
        for index in 0..<15 { registers[index] = 0 }
        registers[14] = 0xFFFF_FFFF
        for index in 0..<32 { floats[index] = 0 }
        state.flagBits = 0
        pendingFault = nil
        pendingHalt = false
        itState = 0
        isWaiting = false
        waitsForEvent = false
        eventRegister = false
        wantsReset = false
        wantsStop = false
        lockup = nil
        lastFault = nil
        interruptsChanged = true
        needsForget = true
        idle.forget()
        polls.forget()
        activity = .running
    }

    /// To be called when something that firmware may poll has changed outside of an event of the clock, a write and an
    /// interrupt line: ends the skipping of an idle loop.
    public func inputChanged() { idle.forget() }

    /// What has been told of is told again when it happens again.
    public func forgetReports() {
        toldFaults = []
        polls.forget()
    }

    /// Another core's SEV (ARMv6-M ARM B1.5.18).
    func receiveEvent() {
        if isWaiting, waitsForEvent {
            isWaiting = false
            waitsForEvent = false
        } else {
            eventRegister = true
        }
    }

    /// Makes ``run(untilCycle:)`` return ``RunResult/resetRequested``: a watchdog.
    public func requestReset() {
        wantsReset = true
        leaveSoon()
    }

    /// Makes ``run(untilCycle:)`` return ``RunResult/stopped``; on the machine's own thread, from a peripheral or event.
    public func stop() {
        wantsStop = true
        leaveSoon()
    }

    /// Ends the present execution behind this instruction or at the next jump.
    func leaveSoon() {
        state.pointee.mustExit = true
        let executed = executedCycles
        state.pointee.budget = executed
        state.pointee.deadline = Int(bitPattern: state.pointee.ip)
    }

    /// Cycles of the present execution up to `state.ip`.
    var executedCycles: Int {
        state.pointee.budget &- (state.pointee.deadline &- Int(bitPattern: state.pointee.ip)) >> 3
    }
}

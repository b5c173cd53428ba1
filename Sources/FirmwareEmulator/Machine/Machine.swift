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
    public let memory = MemoryMap()
    public let clock: VirtualClock
    /// For peripherals: their interrupt lines.
    public var interrupts: any InterruptLines { controller }
    public var symbols: (any SymbolProvider)?
    /// Called on the machine's thread.
    public var onDiagnostic: ((Diagnostic) -> Void)?
    public internal(set) var activity = Activity.running

    let controller = InterruptController()

    public init(model: CoreModel, hertz: UInt64) {
        self.model = model
        clock = VirtualClock(hertz: hertz)
        memory.hasBitBand = model == .cortexM3 || model == .cortexM4 || model == .cortexM4F
    }

    /// Power-on or system reset: registers, peripherals, then the vector table's first two words.
    public func reset() {
        for peripheral in memory.peripherals { peripheral.reset() }
        activity = .running
    }

    /// Runs until virtual time is at least `cycle`; a little later, because the CPU stops at jumps only.
    public func run(untilCycle cycle: UInt64) -> RunResult {
        while clock.settled < cycle {
            clock.settled = min(cycle, max(clock.settled, clock.nextDue))
            _ = clock.fireDue()
        }
        return .sleeping
    }

    /// To be called when something that firmware may poll has changed outside of an event of the clock, a write and an
    /// interrupt line: ends the skipping of an idle loop.
    public func inputChanged() {}

    /// Makes ``run(untilCycle:)`` return ``RunResult/resetRequested``: a watchdog.
    public func requestReset() {}
}

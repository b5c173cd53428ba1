/// Core 1 of the RP2040: in the boot ROM until core 0 has sent it where to start (RP2040 datasheet 2.8.2), then running
/// between slices of core 0.
///
/// Its own clock counts its cycles; the peripherals' time stands still in its slices.
final class SecondCore {
    let machine: Machine
    private(set) var isRunning = false
    private let shared: SharedIO
    private let cores: CoreGroup
    /// Words of the handshake that have been taken.
    private var received: [UInt32] = []
    /// What core 0 has been told.
    private let onEvent: () -> Void

    /// Cycles of one slice, where both have something to do.
    static let slice: UInt64 = 1000
    /// Cycles between two looks of a core that is in an idle loop at what the other has done to memory.
    static let patience: UInt64 = 30_000
    private var nextLook: [UInt64] = [0, 0]

    init(first: Machine, shared: SharedIO, cores: CoreGroup) {
        self.shared = shared
        self.cores = cores
        let second = Machine(model: first.model, hertz: first.clock.hertz, sharing: first)
        machine = second
        onEvent = { [unowned first] in first.receiveEvent() }
        cores.add(machine)
        first.clock.onFrequencyChange.append { [unowned first, unowned second] in
            second.clock.hertz = first.clock.hertz
        }
        first.onSendEvent = { [unowned second] in second.receiveEvent() }
        machine.onSendEvent = { [unowned first] in first.receiveEvent() }
        shared.onWord = { [unowned self] sender, word in sender == 0 && take(word) }
    }

    /// Held in reset, or back in the boot ROM.
    func stop(announces: Bool) {
        isRunning = false
        received = []
        shared.reset(1)
        // It says that it is there, and has emptied its queue.
        if announces { answer(0) }
    }

    private func answer(_ word: UInt32) {
        shared.give(0, word)
        onEvent()
    }

    /// 0, 0, 1, vector table, stack pointer, entry; each is sent back, and another order starts anew.
    private func take(_ word: UInt32) -> Bool {
        guard !isRunning else { return false }
        switch (received.count, word) {
        case (0, 0), (1, 0), (2, 1), (3..., _): received.append(word)
        // More zeros than two are no harm.
        case (2, 0): break
        default: received = word == 0 ? [0] : []
        }
        answer(word)
        if received.count == 6 {
            machine.start(vectors: received[3], stack: received[4], entry: received[5])
            received = []
            isRunning = true
        }
        return true
    }

    /// Runs both cores until virtual time is at least `cycle`.
    func run(with first: Machine, untilCycle cycle: UInt64) -> RunResult {
        var isFirstQuiet = false, isSecondQuiet = false
        while true {
            let begin = first.clock.now
            let step = isFirstQuiet && isSecondQuiet ? cycle : min(cycle, begin + Self.slice)
            let skipped = first.skippedCycles
            let result = first.run(untilCycle: step)
            let passed = first.clock.now &- begin
            isFirstQuiet = first.skippedCycles &- skipped >= passed
            switch result {
            case .sliceOver, .sleeping: break
            default: return result
            }
            guard isRunning else { return result }
            if !isFirstQuiet { look(1, at: first.clock.now) }
            if let fault = runSecond(passed, &isSecondQuiet) { return .fault(fault) }
            if !isSecondQuiet { look(0, at: first.clock.now) }
            guard first.clock.now >= cycle else { continue }
            if case .sleeping = result, isSecondQuiet { return .sleeping }
            return .sliceOver
        }
    }

    /// What a core in an idle loop looks at may be memory that the other has written to.
    private func look(_ core: Int, at cycle: UInt64) {
        guard cycle >= nextLook[core] else { return }
        nextLook[core] = cycle + Self.patience
        cores.machines[core].inputChanged()
    }

    private func runSecond(_ cycles: UInt64, _ isQuiet: inout Bool) -> FaultReport? {
        cores.current = 1
        defer { cores.current = 0 }
        let begin = machine.clock.now, skipped = machine.skippedCycles
        let result = machine.run(untilCycle: begin + cycles)
        isQuiet = machine.skippedCycles &- skipped >= machine.clock.now &- begin
        guard case .fault(var report) = result else { return nil }
        isRunning = false
        report.reason = "core 1: \(report.reason)"
        return report
    }
}

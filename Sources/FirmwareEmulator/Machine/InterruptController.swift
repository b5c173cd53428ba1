/// The NVIC and the system exceptions: what is enabled, pending and active, and which comes next. Everything is numbered
/// by exception: external interrupt n is exception 16 + n.
final class InterruptController: InterruptLines {
    /// System exceptions by number (ARMv7-M ARM B1.5.2).
    enum Number {
        static let reset = 1, nmi = 2, hardFault = 3, memoryManagement = 4, busFault = 5, usageFault = 6
        static let supervisorCall = 11, debugMonitor = 12, pendSV = 14, sysTick = 15, external = 16
    }

    static let count = 256
    var enabled = Bits()
    var pending = Bits()
    var active = Bits()
    /// Levels of the external lines.
    var lines = Bits()
    var priorities = [UInt8](repeating: 0, count: InterruptController.count)
    /// AIRCR.PRIGROUP.
    var priorityGroup: UInt32 = 0
    /// How many external interrupts the chip has.
    var externalCount = 240
    /// Called when an exception may have to be taken.
    var onChange: (() -> Void)?

    /// 256 bits in words.
    struct Bits: Equatable {
        var words = SIMD8<UInt32>()

        subscript(_ number: Int) -> Bool {
            get { words[(number >> 5) & 7] >> UInt32(number & 31) & 1 != 0 }
            set {
                let bit: UInt32 = 1 << UInt32(number & 31)
                if newValue { words[(number >> 5) & 7] |= bit } else { words[(number >> 5) & 7] &= ~bit }
            }
        }
    }

    func setLine(_ irq: Int, _ isHigh: Bool) {
        guard irq >= 0, irq < externalCount else { return }
        let number = irq + Number.external
        guard lines[number] != isHigh else { return }
        lines[number] = isHigh
        if isHigh, !active[number] { setPending(number) }
    }

    func pend(_ irq: Int) {
        guard irq >= 0, irq < externalCount else { return }
        setPending(irq + Number.external)
    }

    func setPending(_ number: Int) {
        guard !pending[number] else { return }
        pending[number] = true
        onChange?()
    }

    /// Software may clear a pending interrupt, but not one whose line is still high.
    func clearPending(_ number: Int) {
        pending[number] = lines[number] && !active[number]
    }

    func activate(_ number: Int) {
        active[number] = true
        pending[number] = false
    }

    func deactivate(_ number: Int) {
        active[number] = false
        if lines[number] { pending[number] = true }
    }

    func reset() {
        enabled = Bits()
        // System exceptions cannot be disabled here; the faults have their own enable bits, checked where they are raised.
        enabled.words[0] = 0xFFFF
        pending = Bits()
        active = Bits()
        for index in priorities.indices { priorities[index] = 0 }
        priorityGroup = 0
        for number in Number.external..<Self.count where lines[number] { pending[number] = true }
    }

    /// Priority of an exception as configured; lower wins, the fixed ones are negative.
    func priority(of number: Int) -> Int {
        switch number {
        case Number.reset: -3
        case Number.nmi: -2
        case Number.hardFault: -1
        default: Int(priorities[number & 0xFF])
        }
    }

    /// What of a priority counts for pre-emption.
    func groupPriority(_ priority: Int) -> Int {
        priority < 0 ? priority : priority & ~((2 << Int(priorityGroup & 7)) - 1) & 0xFF
    }

    /// The pending and enabled exception that would be taken first.
    func highestPending() -> (number: Int, priority: Int)? {
        let ready = pending.words & enabled.words
        guard ready != SIMD8() else { return nil }
        var best: (number: Int, priority: Int)?
        for index in 0..<8 {
            var word = ready[index]
            while word != 0 {
                let number = index * 32 + word.trailingZeroBitCount
                word &= word &- 1
                let priority = priority(of: number)
                if best.map({ priority < $0.priority }) ?? true { best = (number, priority) }
            }
        }
        return best
    }

    /// The pre-emption priority of what is being handled; 256 for nothing.
    func activePriority() -> Int {
        var best = 256
        guard active.words != SIMD8() else { return best }
        for index in 0..<8 {
            var word = active.words[index]
            while word != 0 {
                let number = index * 32 + word.trailingZeroBitCount
                word &= word &- 1
                best = min(best, groupPriority(priority(of: number)))
            }
        }
        return best
    }
}

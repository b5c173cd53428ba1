/// Finds out whether firmware is in a loop that only waits: it comes round with the same registers and the same memory,
/// has read nothing that changes by itself and written nothing that has an effect. Then it would do so until the next
/// event, and that time can be skipped; and further, as long as events leave what the loop looks at as it was.
final class IdleDetector {
    /// Proven: nothing will change before an event or an input.
    private(set) var isProven = false
    /// Whether stores and register accesses are being watched.
    private(set) var isObserving = false
    /// The cycle before which no further attempt is made.
    private(set) var nextProbe: UInt64 = 0
    /// Cycles to let firmware run before the next attempt: more after each failure.
    private var patience = IdleDetector.shortest

    private static let shortest: UInt64 = 256
    private static let longest: UInt64 = 1 << 18
    /// What one attempt may cost.
    static let attemptCycles: UInt64 = 4096
    private static let logLimit = 512

    /// What the loop did to a register on its way round.
    private struct Touch {
        let peripheral: any Peripheral
        let offset: UInt32
        let width: AccessWidth
        let value: UInt32
        let isWrite: Bool
    }

    /// What events may change for firmware besides registers.
    struct Outside: Equatable {
        var pending: InterruptController.Bits
        var eventRegister: Bool
        var memoryWrites: Int
    }

    private var isDisturbed = false
    private var log: [(region: MemoryRegion, offset: UInt32, old: UInt32)] = []
    private var touches: [Touch] = []
    private var outside: Outside?
    private var anchor: UInt32 = 0
    private var snapshot: [UInt32] = []
    private var isFresh = false

    func isDue(at cycle: UInt64) -> Bool { cycle >= nextProbe }

    /// Something happened that firmware may react to.
    func forget() {
        // An attempt that is planned stays planned: a frame or a tick each millisecond must not put it off for ever.
        guard isProven else { return }
        isProven = false
        // What was found idle before most likely will be again soon.
        nextProbe = 0
        isFresh = true
    }

    /// An event has happened: what was proven stays so only while the loop would see the same as before.
    func check(_ present: Outside) {
        guard isProven, present != outside || !touches.allSatisfy(isAsBefore) else { return }
        forget()
    }

    private func isAsBefore(_ touch: Touch) -> Bool {
        if touch.isWrite { return touch.peripheral.isNeutral(touch.offset, width: touch.width, value: touch.value) }
        return touch.peripheral.isStable(touch.offset)
            && touch.peripheral.read(touch.offset, width: touch.width) & touch.width.mask == touch.value
    }

    /// Called before an attempt at `cycle`.
    /// - Returns: false when firmware is to be left alone for a while first.
    func begin(at cycle: UInt64, anchor: UInt32, fill: (inout [UInt32]) -> Void) -> Bool {
        if isFresh {
            isFresh = false
            nextProbe = cycle &+ patience
            return false
        }
        isObserving = true
        isDisturbed = false
        setAnchor(anchor, fill: fill)
        return true
    }

    /// Waits for the loop to come round here from now on.
    func setAnchor(_ anchor: UInt32, fill: (inout [UInt32]) -> Void) {
        log.removeAll(keepingCapacity: true)
        touches.removeAll(keepingCapacity: true)
        self.anchor = anchor
        snapshot.removeAll(keepingCapacity: true)
        fill(&snapshot)
    }

    func isAnchor(_ address: UInt32) -> Bool { address == anchor }

    /// The loop has come round: is everything as it was?
    func isUnchanged(isState: ([UInt32]) -> Bool) -> Bool {
        guard !isDisturbed, isState(snapshot) else { return false }
        return log.allSatisfy { entry in
            UnsafeRawPointer(entry.region.bytes + Int(entry.offset)).loadUnaligned(as: UInt32.self) == entry.old
        }
    }

    /// Nothing useful can come of this attempt any more.
    var isHopeless: Bool { isDisturbed }

    /// - Parameter outside: what the proof rests on; nil when there is none.
    func end(proof outside: Outside?, at cycle: UInt64) {
        isObserving = false
        isProven = outside != nil
        self.outside = outside
        patience = isProven ? Self.shortest : min(patience * 2, Self.longest)
        nextProbe = cycle &+ patience
    }

    /// A word of RAM is about to be written.
    func note(_ region: MemoryRegion, _ offset: UInt32, old: UInt32) {
        guard isObserving, !log.contains(where: { $0.offset == offset && $0.region === region }) else { return }
        if log.count >= Self.logLimit { isDisturbed = true } else { log.append((region, offset, old)) }
    }

    /// A register was read that does not change by itself, or is about to be written in a way that changes nothing.
    func note(_ peripheral: any Peripheral, _ offset: UInt32, _ width: AccessWidth, _ value: UInt32, isWrite: Bool) {
        let isKnown = touches.contains {
            $0.offset == offset && $0.value == value && $0.isWrite == isWrite && $0.width == width
                && $0.peripheral === peripheral
        }
        guard !isKnown else { return }
        guard touches.count < Self.logLimit else { return disturb() }
        touches.append(
            Touch(peripheral: peripheral, offset: offset, width: width, value: value, isWrite: isWrite))
    }

    func disturb() { isDisturbed = true }
}

/// Finds out whether firmware is in a loop that only waits: it comes round with the same registers and the same memory,
/// has read nothing that changes by itself and written nothing that has an effect. Then it would do so until the next
/// event, and that time can be skipped.
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

    private var isDisturbed = false
    private var log: [(region: MemoryRegion, offset: UInt32, old: UInt32)] = []
    private var anchor: UInt32 = 0
    private var snapshot: [UInt32] = []

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

    private var isFresh = false

    /// Called before an attempt at `cycle`.
    /// - Returns: false when firmware is to be left alone for a while first.
    func begin(at cycle: UInt64, anchor: UInt32, state: [UInt32]) -> Bool {
        if isFresh {
            isFresh = false
            nextProbe = cycle &+ patience
            return false
        }
        isObserving = true
        isDisturbed = false
        log.removeAll(keepingCapacity: true)
        self.anchor = anchor
        snapshot = state
        return true
    }

    func isAnchor(_ address: UInt32) -> Bool { address == anchor }

    /// The loop has come round: is everything as it was?
    func isUnchanged(_ state: [UInt32]) -> Bool {
        guard !isDisturbed, state == snapshot else { return false }
        for entry in log {
            let place = UnsafeRawPointer(entry.region.bytes + Int(entry.offset))
            if place.loadUnaligned(as: UInt32.self) != entry.old { return false }
        }
        return true
    }

    /// Nothing useful can come of this attempt any more.
    var isHopeless: Bool { isDisturbed }

    func end(isProven: Bool, at cycle: UInt64) {
        isObserving = false
        self.isProven = isProven
        patience = isProven ? Self.shortest : min(patience * 2, Self.longest)
        nextProbe = cycle &+ patience
    }

    /// A word of RAM is about to be written.
    func note(_ region: MemoryRegion, _ offset: UInt32, old: UInt32) {
        guard isObserving, !log.contains(where: { $0.offset == offset && $0.region === region }) else { return }
        if log.count >= Self.logLimit { isDisturbed = true } else { log.append((region, offset, old)) }
    }

    func disturb() { isDisturbed = true }
}

/// Lets one operation at a time through, in order of arrival: actors alone interleave at every await.
struct FIFOGate {
    private var isTaken = false
    private var queue: [CheckedContinuation<Void, Never>] = []

    /// True when the caller may go on at once; otherwise it must wait with `enqueue`.
    mutating func tryEnter() -> Bool {
        guard !isTaken else { return false }
        isTaken = true
        return true
    }

    mutating func enqueue(_ continuation: CheckedContinuation<Void, Never>) { queue.append(continuation) }

    /// Hands the gate to the next one, or opens it.
    mutating func leave() {
        if queue.isEmpty { isTaken = false } else { queue.removeFirst().resume() }
    }
}

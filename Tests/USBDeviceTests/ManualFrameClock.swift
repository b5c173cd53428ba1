import USBDevice

/// A clock that stands until a test moves it.
final class ManualFrameClock: FrameClock {
    private(set) var microframe = 0
    private var calls: [Int: (at: Int, body: () -> Void)] = [:]
    private var nextCall = 0

    init(at microframe: Int = 0) { self.microframe = microframe }

    var scheduledCount: Int { calls.count }

    func schedule(at microframe: Int, _ body: @escaping () -> Void) -> FrameTimer {
        nextCall += 1
        let number = nextCall
        calls[number] = (microframe, body)
        return FrameTimer { [weak self] in self?.calls[number] = nil }
    }

    /// A loop in time: every call is made in its microframe.
    func advance(by microframes: Int) {
        let target = microframe + microframes
        while let due = calls.filter({ $0.value.at <= target }).min(by: { $0.value.at < $1.value.at }) {
            calls[due.key] = nil
            microframe = max(microframe, due.value.at)
            due.value.body()
        }
        microframe = target
    }

    /// A loop that was busy meanwhile: calls are made after all the time has passed.
    func stall(for microframes: Int) {
        microframe += microframes
        while let due = calls.filter({ $0.value.at <= microframe }).min(by: { $0.value.at < $1.value.at }) {
            calls[due.key] = nil
            due.value.body()
        }
    }
}

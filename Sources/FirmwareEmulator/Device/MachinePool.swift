import Glibc

/// The threads that all emulated machines share: as many as the host has processors.
///
/// A thread for each machine would cost a timer and a switch each time one of many idle machines is looked at; here
/// machines whose time has come are looked at one after the other. A machine is in one turn at a time, on any thread.
final class MachinePool: @unchecked Sendable {
    static let shared = MachinePool(threads: max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    // All state is guarded by `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let threadLimit: Int
    private var threads = 0
    private var idleThreads = 0
    /// When the idle thread that keeps the time will look; `UInt64.max` for none.
    private var keptTime = UInt64.max
    private var ready: [MachineTask] = []
    private var readyStart = 0
    private var waiting: [MachineTask] = []

    /// Lives as long as the process, as its threads do.
    private init(threads: Int) {
        threadLimit = threads
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    /// Gives a task its first turn.
    ///
    /// - Returns: false when the system gives no thread.
    func start(_ task: MachineTask) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if threads < threadLimit, startThread({ self.work() }) { threads += 1 }
        guard threads > 0 else { return false }
        task.state = .ready
        ready.append(task)
        wakeThread()
        return true
    }

    /// Gives a task a turn soon; one that is in a turn gets another.
    func wake(_ task: MachineTask) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        switch task.state {
        case .waiting(_, let index):
            removeWaiting(index)
            task.state = .ready
            ready.append(task)
            wakeThread()
        case .running: task.state = .runningAndWoken
        case .new, .ready, .runningAndWoken, .ended: break
        }
    }

    private func wakeThread() {
        if idleThreads > 0 { pthread_cond_signal(condition) }
    }

    /// A thread's whole life.
    private func work() {
        pthread_mutex_lock(mutex)
        while true {
            readyDueTasks()
            guard let task = nextReady() else {
                wait()
                continue
            }
            // Whoever is woken looks after what is left, and after the time.
            if readyStart < ready.count { wakeThread() }
            task.state = .running
            pthread_mutex_unlock(mutex)
            let next = task.turn()
            pthread_mutex_lock(mutex)
            let isWoken = if case .runningAndWoken = task.state { true } else { false }
            switch next {
            case .ended: task.state = .ended
            case .at(let time) where !isWoken && time > monotonicNanoseconds(): park(task, until: time)
            case .whenWoken where !isWoken: park(task, until: .max)
            default:
                task.state = .ready
                ready.append(task)
            }
        }
    }

    private func nextReady() -> MachineTask? {
        guard readyStart < ready.count else { return nil }
        let task = ready[readyStart]
        readyStart += 1
        if readyStart == ready.count || readyStart > 256 {
            ready.removeFirst(readyStart)
            readyStart = 0
        }
        return task
    }

    private func park(_ task: MachineTask, until time: UInt64) {
        task.state = .waiting(until: time, index: waiting.count)
        waiting.append(task)
    }

    private func removeWaiting(_ index: Int) {
        let last = waiting.removeLast()
        guard index < waiting.count else { return }
        waiting[index] = last
        last.state = .waiting(until: last.deadline, index: index)
    }

    private func readyDueTasks() {
        let now = monotonicNanoseconds()
        var index = 0
        while index < waiting.count {
            let task = waiting[index]
            guard task.deadline <= now else {
                index += 1
                continue
            }
            removeWaiting(index)
            task.state = .ready
            ready.append(task)
        }
    }

    /// One of the idle threads keeps the time; the others wait for work only.
    private func wait() {
        idleThreads += 1
        defer { idleThreads -= 1 }
        let earliest = waiting.reduce(UInt64.max) { min($0, $1.deadline) }
        guard earliest < keptTime else {
            pthread_cond_wait(condition, mutex)
            return
        }
        keptTime = earliest
        var time = timespec(tv_sec: Int(earliest / 1_000_000_000), tv_nsec: Int(earliest % 1_000_000_000))
        pthread_cond_timedwait(condition, mutex, &time)
        if keptTime == earliest { keptTime = .max }
    }
}

/// What a pool gives turns to. Everything but `turn` belongs to the pool.
final class MachineTask: @unchecked Sendable {
    enum Next {
        /// Nanoseconds of the monotonic clock; a time that has passed means at once, after the others.
        case at(UInt64)
        case whenWoken
        case ended
    }

    enum State {
        case new
        case ready
        case running
        /// Something came up during the turn.
        case runningAndWoken
        case waiting(until: UInt64, index: Int)
        case ended
    }

    /// Called by one thread at a time.
    let turn: () -> Next
    fileprivate(set) var state = State.new

    init(turn: @escaping () -> Next) { self.turn = turn }

    fileprivate var deadline: UInt64 {
        if case .waiting(let time, _) = state { time } else { .max }
    }
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Runs `body` on a new thread of its own.
private func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard result == 0 else {
        box.release()
        return false
    }
    pthread_detach(thread)
    return true
}

import CTerminal
import Foundation
import Synchronization

/// Runs the screen actor's jobs on the main thread, between its waits for keys and signals.
///
/// A hop from another actor (`await screen.took(snapshot)`) appends a job and writes an eventfd; idle, it costs nothing.
public final class ScreenExecutor: SerialExecutor {
    public static let shared = ScreenExecutor()

    private let jobs = Mutex<[UnownedJob]>([])
    /// Readable while there are jobs.
    let wakeDescriptor: Int32

    private init() {
        wakeDescriptor = ct_event_descriptor()
        precondition(wakeDescriptor >= 0, "eventfd: \(String(cString: strerror(errno)))")
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if isFirst { ct_wake(wakeDescriptor) }
    }

    public func checkIsolated() {
        precondition(Self.isMainThread, "the terminal belongs to the main thread")
    }

    public func isIsolatingCurrentContext() -> Bool? { Self.isMainThread }

    /// Runs what has been enqueued so far; jobs that these enqueue wait for the next time.
    func runJobs() {
        ct_drain(wakeDescriptor)
        let due = jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
        for job in due { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    /// The thread that entered main has the process's id (clone(2)).
    private static var isMainThread: Bool { ct_is_main_thread() }
}

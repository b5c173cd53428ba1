import Foundation

/// An exclusive lock on a file, held until ``unlock()`` or the process's end, whichever comes first.
struct FileLock: ~Copyable {
    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Waits for the lock on a thread of its own; `onWait` is called when another process or task has it.
    static func lock(_ path: String, onWait: @escaping @Sendable () -> Void) async throws -> FileLock {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LabError.system(what: "cannot open", path: path, errno: errno) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return FileLock(descriptor: descriptor) }
        onWait()
        // Awaited to the end even by a cancelled task: the descriptor must not be closed under a blocked flock.
        let code: Int32 = await withCheckedContinuation { continuation in
            let thread = Thread {
                while flock(descriptor, LOCK_EX) != 0 {
                    if errno != EINTR {
                        continuation.resume(returning: errno)
                        return
                    }
                }
                continuation.resume(returning: 0)
            }
            thread.start()
        }
        guard code == 0 else {
            close(descriptor)
            throw LabError.system(what: "cannot lock", path: path, errno: code)
        }
        return FileLock(descriptor: descriptor)
    }

    deinit {
        close(descriptor)
    }
}

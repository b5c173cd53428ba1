import ControlSocket
import Foundation

/// Makes the control socket: one engine for each path, and nobody but its user reaches it.
struct ControlListener {
    /// Listens; for an event loop to own.
    let descriptor: Int32
    /// Held as long as the engine lives: two engines that start at once must not take each other's socket for dead.
    let lock: FileHandle

    /// - Throws: when another engine has the socket, or the path cannot be used.
    static func listen(_ path: String) throws -> ControlListener {
        try SocketDirectory.prepare(forSocket: path)
        let lock = try lock(path)
        try removeDead(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("open a socket for", path) }
        do {
            // The mode before bind is the mode of the file (unix(7)): it is reachable by others not even for a moment.
            guard fchmod(descriptor, 0o600) == 0 else { throw failure("protect", path) }
            guard try withUNIXAddress(path, { Foundation.bind(descriptor, $0, $1) }) == 0 else {
                throw failure("bind", path)
            }
            guard Foundation.listen(descriptor, 64) == 0 else { throw failure("listen on", path) }
        } catch {
            close(descriptor)
            throw error
        }
        return ControlListener(descriptor: descriptor, lock: lock)
    }

    private static func lock(_ path: String) throws -> FileHandle {
        let file = path + ".lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("open", file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw failure("lock", file, code) }
            throw ControlServerError.alreadyRunning(path)
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// A socket file that nobody listens on is what a killed engine left.
    private static func removeDead(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw failure("look at", path) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw ControlSocketError.notASocket(path) }
        guard try !SocketProbe.isListening(path) else { throw ControlServerError.alreadyRunning(path) }
        guard unlink(path) == 0 else { throw failure("remove", path) }
    }

    private static func failure(_ operation: String, _ path: String, _ code: Int32 = errno) -> ControlServerError {
        .system(operation, path, String(cString: strerror(code)))
    }
}

/// Calls `body` with the socket address of a path.
func withUNIXAddress<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
) throws -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
        throw ControlServerError.system("use", path, "the path is longer than a UNIX socket's can be")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return try withUnsafePointer(to: &address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

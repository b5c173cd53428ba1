import Glibc
import NIOCore

/// A listening UNIX socket that only its owner may connect to; a file that a dead process left is replaced.
enum UNIXListener {
    /// - Returns: the listening descriptor.
    static func listen(_ path: String) throws(ExporterError) -> CInt {
        let address: SocketAddress
        do {
            address = try SocketAddress(unixDomainSocketPath: path)
        } catch {
            throw .cannotListen(path, reason: String(describing: error))
        }
        try removeDead(path, address)
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotListen(path, reason: reason(errno)) }
        // The mode before bind is the mode of the file (unix(7)): it is reachable by others not even for a moment.
        guard fchmod(descriptor, 0o600) == 0,
            address.withSockAddr({ bind(descriptor, $0, socklen_t($1)) }) == 0, Glibc.listen(descriptor, 128) == 0
        else {
            let code = errno
            close(descriptor)
            throw code == EADDRINUSE ? .inUse(path) : .cannotListen(path, reason: reason(code))
        }
        return descriptor
    }

    private static func removeDead(_ path: String, _ address: SocketAddress) throws(ExporterError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .cannotListen(path, reason: reason(errno)) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        guard !isServed(address) else { throw .inUse(path) }
        guard unlink(path) == 0 || errno == ENOENT else { throw .cannotListen(path, reason: reason(errno)) }
    }

    /// Whether somebody accepts connections there.
    private static func isServed(_ address: SocketAddress) -> Bool {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        // Without a descriptor nothing can be told, and nothing may be removed.
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // EAGAIN: served, but its backlog is full.
        return address.withSockAddr { connect(descriptor, $0, socklen_t($1)) == 0 || errno == EAGAIN }
    }

    private static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}

import Glibc
import NIOCore

/// Listening sockets made at once, so that what is wrong is known where configuration is applied.
enum SocketFile {
    /// Why we could not listen at `path`; nil when nothing is there, or a socket that nobody serves.
    static func problem(at path: String) -> CatalogueError? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .notASocket(path: path) }
        return isServed(path) ? .inUse(path) : nil
    }

    /// A listening UNIX socket; a left-over socket file that nobody serves is replaced.
    static func listen(at path: String) throws(CatalogueError) -> CInt {
        if let problem = problem(at: path) { throw problem }
        if unlink(path) != 0, errno != ENOENT { throw .cannotListen(path, reason: reason(errno)) }
        return try listen(on: unixAddress(path), what: path)
    }

    /// A listening TCP socket at a numeric address.
    static func listen(host: String, port: Int) throws(CatalogueError) -> CInt {
        let what = "\(host):\(port)"
        let address: SocketAddress
        do {
            address = try SocketAddress(ipAddress: host, port: port)
        } catch {
            throw .cannotListen(what, reason: "'\(host)' is not a numeric address")
        }
        return try listen(on: address, what: what)
    }

    private static func unixAddress(_ path: String) throws(CatalogueError) -> SocketAddress {
        do {
            return try SocketAddress(unixDomainSocketPath: path)
        } catch {
            throw .cannotListen(path, reason: "\(error)")
        }
    }

    private static func listen(on address: SocketAddress, what: String) throws(CatalogueError) -> CInt {
        let family: CInt =
            switch address {
            case .v4: AF_INET
            case .v6: AF_INET6
            case .unixDomainSocket: AF_UNIX
            }
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotListen(what, reason: reason(errno)) }
        if family != AF_UNIX {
            var on: CInt = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        }
        let bound = address.withSockAddr { pointer, size in bind(descriptor, pointer, socklen_t(size)) }
        guard bound == 0, Glibc.listen(descriptor, 16) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EADDRINUSE ? .inUse(what) : .cannotListen(what, reason: reason(code))
        }
        return descriptor
    }

    /// Whether somebody accepts connections there.
    private static func isServed(_ path: String) -> Bool {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else { return false }
        let descriptor = socket(
            AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // EAGAIN: served, but its backlog is full.
        return address.withSockAddr { pointer, size in
            connect(descriptor, pointer, socklen_t(size)) == 0 || errno == EAGAIN
        }
    }

    static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}

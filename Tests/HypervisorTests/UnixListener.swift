import Foundation

/// A listening UNIX socket without an event loop: what it does not read stays unread.
final class UnixListener: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, listen(descriptor, 1) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    deinit { close(descriptor) }

    /// Closes the next connection as soon as something has come that nobody has read.
    func acceptAndCloseUnread() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                let connection = accept(descriptor, nil, nil)
                var entry = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 10_000)
                close(connection)
                continuation.resume()
            }
        }
    }
}

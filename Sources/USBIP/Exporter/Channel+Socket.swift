import Glibc
import NIOCore

extension Channel {
    /// A descriptor of its own for the same connection. To be called on the loop.
    func duplicateSocket() throws -> CInt {
        let copy = try pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        guard let copy else { throw ChannelError.operationUnsupported }
        guard copy >= 0 else { throw IOError(errnoCode: errno, reason: "F_DUPFD_CLOEXEC") }
        return copy
    }

    /// A TCP peer that is gone without a word is noticed within `limit`: by unacknowledged data, or by keepalive.
    func watchForDeadPeer(after limit: TimeAmount) throws {
        guard let options = self as? any SocketOptionProvider else { return }
        let seconds = max(2, CInt(clamping: limit.nanoseconds / 1_000_000_000))
        let probes: CInt = 3
        let interval = max(1, seconds / (probes + 1))
        _ = options.unsafeSetSocketOption(level: .tcp, name: .tcp_nodelay, value: 1 as CInt)
        _ = options.unsafeSetSocketOption(level: .socket, name: .so_keepalive, value: 1 as CInt)
        _ = options.unsafeSetSocketOption(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE), value: interval)
        _ = options.unsafeSetSocketOption(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL), value: interval)
        _ = options.unsafeSetSocketOption(level: .tcp, name: .init(rawValue: TCP_KEEPCNT), value: probes)
        _ = options.unsafeSetSocketOption(
            level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT),
            value: CUnsignedInt(clamping: limit.nanoseconds / 1_000_000))
    }
}

extension ListenAddress {
    /// With the port that the system chose where it was 0.
    func inUse(_ bound: SocketAddress?) -> ListenAddress {
        guard case .tcp(let host, 0) = self, let port = bound?.port else { return self }
        return .tcp(host: host, port: port)
    }
}

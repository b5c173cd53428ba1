import CUSBFS
import Glibc

/// A blocking stream with time limits; closed with its owner unless it was handed on.
final class StreamSocket {
    private var descriptor: Int32
    /// What errors call the other end.
    let peer: String

    init(descriptor: Int32, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// For poll() and for the kernel, which takes a reference of its own.
    var fileDescriptor: Int32 { descriptor }

    /// Gives the descriptor away.
    func release() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    /// Connects to the first address of the host that answers within the time.
    static func connect(to address: ExporterAddress, milliseconds: Int32 = 10_000) throws(GuestError) -> StreamSocket {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard code == 0 else {
            throw .refused("\(address): the host is not known (\(String(cString: gai_strerror(code))))")
        }
        defer { freeaddrinfo(list) }
        var failure = GuestError.refused("\(address): the host has no address")
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            do {
                return try connect(to: entry.pointee, named: address, milliseconds: milliseconds)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func connect(
        to entry: addrinfo, named address: ExporterAddress, milliseconds: Int32
    ) throws(GuestError) -> StreamSocket {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(entry.ai_family, kind, entry.ai_protocol)
        guard descriptor >= 0 else { throw .failed("\(address): no socket: \(errorText(errno))") }
        let stream = StreamSocket(descriptor: descriptor, peer: address.description)
        if Glibc.connect(descriptor, entry.ai_addr, entry.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { throw stream.unreachable(errno) }
            guard try stream.wait(for: POLLOUT, until: monotonicMilliseconds() + Int64(milliseconds)) else {
                throw .refused("\(address): no answer within \(milliseconds / 1000) s")
            }
            var error: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
            guard error == 0 else { throw stream.unreachable(error) }
        }
        stream.tune()
        return stream
    }

    private func unreachable(_ code: Int32) -> GuestError {
        code == ECONNREFUSED
            ? .refused("\(peer): nobody offers devices there (connection refused)")
            : .refused("\(peer): cannot be reached: \(errorText(code))")
    }

    /// URBs are small and a person waits for them; a dead host must be noticed without traffic. Both are best effort:
    /// a socket pair has neither.
    private func tune() {
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 5)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
    }

    private func set(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// What the kernel's USB/IP threads expect of the socket they get.
    func makeBlocking() {
        let flags = fcntl(descriptor, F_GETFL)
        if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
    }

    // MARK: Bytes

    /// False when the time is up.
    private func wait(for event: Int32, until deadline: Int64) throws(GuestError) -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let ready = poll(&entry, 1, Int32(clamping: max(0, deadline - monotonicMilliseconds())))
            if ready > 0 { return true }
            if ready == 0 { return false }
            guard errno == EINTR else { throw .failed("\(peer): poll: \(errorText(errno))") }
        }
    }

    /// Exactly `count` bytes and not one more: what follows belongs to the kernel.
    func read(exactly count: Int, until deadline: Int64) throws(GuestError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard try wait(for: POLLIN, until: deadline) else { throw .refused("\(peer): it does not answer") }
            let chunk = try readAvailable(atMost: count - bytes.count)
            guard let chunk else { continue }
            guard !chunk.isEmpty else { throw .refused("\(peer): it closed the connection without an answer") }
            bytes += chunk
        }
        return bytes
    }

    /// What is there; empty at the end of the stream, nil when there is nothing at the moment.
    func readAvailable(atMost limit: Int = 16 << 10) throws(GuestError) -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: min(limit, 16 << 10))
        let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        if count < 0, errno == EINTR || errno == EAGAIN { return nil }
        guard count >= 0 else { throw .refused("\(peer): the connection broke: \(errorText(errno))") }
        return Array(chunk.prefix(count))
    }

    func write(_ bytes: [UInt8], until deadline: Int64) throws(GuestError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(
                    descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN {
                guard try wait(for: POLLOUT, until: deadline) else { throw .refused("\(peer): it does not read") }
            } else if count < 0, errno != EINTR {
                throw .refused("\(peer): the connection broke: \(errorText(errno))")
            }
        }
    }
}

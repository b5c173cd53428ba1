import Glibc
import Synchronization
import USBCore

/// Takes a serial function's bytes as a guest does: keeps IN transfers of 1 KiB parked.
final class GuestBytes: Sendable {
    private let store = Mutex<[UInt8]>([])
    private let isStopped = Mutex(false)

    var bytes: [UInt8] { store.withLock { $0 } }
    var count: Int { store.withLock { $0.count } }

    /// - Parameter slowEvery: after so many transfers the guest pauses for 2 ms; 0 never.
    func start(_ guest: Guest, slowEvery: Int) {
        var taken = 0
        let number = guest.number(.bulk, .in)
        func park() {
            guest.submit({ .in($0, number, length: 1024) }) { [self] completion in
                guard completion.status == .success else { return }
                store.withLock { $0 += completion.data }
                taken += 1
                if isStopped.withLock({ $0 }) { return }
                if slowEvery > 0, taken % slowEvery == 0 {
                    guest.loop.assumeIsolated().scheduleTask(in: .milliseconds(2)) { park() }
                } else {
                    park()
                }
            }
        }
        park()
    }

    /// One transfer of `length` bytes.
    func take(_ guest: Guest, _ length: Int) {
        guest.submit({ .in($0, guest.number(.bulk, .in), length: length) }) { [self] completion in
            store.withLock { $0 += completion.data }
        }
    }

    /// Takes back the parked transfer.
    func stop(_ guest: Guest) {
        isStopped.withLock { $0 = true }
        guest.cancelParked()
    }
}

/// Sends bytes as a guest does: two OUT transfers of 4 KiB in flight. Used on the loop.
final class GuestWriter {
    private let guest: Guest
    private let bytes: [UInt8]
    private var offset = 0

    init(_ guest: Guest, _ bytes: [UInt8]) {
        self.guest = guest
        self.bytes = bytes
    }

    func start() {
        send()
        send()
    }

    private func send() {
        guard offset < bytes.count else { return }
        let piece = Array(bytes[offset..<min(bytes.count, offset + 4096)])
        offset += piece.count
        guest.submit({ .out($0, guest.number(.bulk, .out), data: piece) }) { completion in
            if completion.status == .success { self.send() }
        }
    }
}

/// A host program at a socket or a terminal; blocking calls on threads of its own.
final class SocketClient: Sendable {
    struct Failure: Error { var code: CInt }
    private let descriptor: CInt
    private let isClosed = Mutex(false)

    init(_ path: String) async throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw Failure(code: errno) }
    }

    init(port: Int) async throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw Failure(code: errno) }
    }

    init(terminal: String) async throws {
        descriptor = open(terminal, O_RDWR | O_NOCTTY)
        guard descriptor >= 0 else { throw Failure(code: errno) }
    }

    deinit {
        close()
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard result == 0 else { throw Failure(code: errno) }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    func close() {
        isClosed.withLock { closed in
            if !closed { Glibc.close(descriptor) }
            closed = true
        }
    }

    func endWriting() {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    func write(_ bytes: [UInt8]) async throws {
        let descriptor = descriptor
        try await onThread {
            var offset = 0
            while offset < bytes.count {
                let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { throw Failure(code: errno) }
                offset += count
            }
        }
    }

    /// - Parameter slowEvery: after so many reads it pauses for 1 ms; 0 never.
    func read(_ length: Int, slowEvery: Int) async throws -> [UInt8] {
        let descriptor = descriptor
        return try await onThread {
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 8192)
            var reads = 0
            while all.count < length {
                let count = Glibc.read(descriptor, &buffer, min(buffer.count, length - all.count))
                guard count > 0 else { throw Failure(code: errno) }
                all += buffer[..<count]
                reads += 1
                if slowEvery > 0, reads % slowEvery == 0 { usleep(1000) }
            }
            return all
        }
    }

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.start { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// A detached POSIX thread, since blocking calls do not belong on Swift's.
private enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run)).toOpaque()
        let started = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            }, body)
        if started == 0 { pthread_detach(thread) }
    }
}

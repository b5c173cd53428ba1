import Foundation

@testable import Engine

/// A client of plain system calls, that does what no honest client does. Its blocking happens on a queue of its own.
final class RawClient: @unchecked Sendable {
    struct Failure: Error { var code: Int32 }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "client")
    private var bytes: [UInt8] = []

    init(_ path: String) throws {
        signal(SIGPIPE, SIG_IGN)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var patience = timeval(tv_sec: 15, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard try withUNIXAddress(path, { connect(descriptor, $0, $1) }) == 0 else { throw Failure(code: errno) }
    }

    deinit { end() }

    private var isOpen = true

    func end() {
        if isOpen { close(descriptor) }
        isOpen = false
    }

    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    func send(_ text: String) async throws { try await onQueue { try $0.write(text) } }

    /// The next line; nil when the engine has hung up.
    func line() async throws -> String? { try await onQueue { try $0.readLine() } }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable (RawClient) throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body(self) }) }
        }
    }

    private func write(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure(code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    private func readLine() throws -> String? {
        while true {
            if let end = bytes.firstIndex(of: 10) {
                defer { bytes.removeSubrange(...end) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            var block = [UInt8](repeating: 0, count: 65536)
            let count = read(descriptor, &block, block.count)
            if count == 0 || count < 0 && errno == ECONNRESET { return nil }
            guard count > 0 else { throw Failure(code: errno) }
            bytes += block[..<count]
        }
    }
}

import Foundation

/// A blocking TCP client that shows the bytes as they are.
final class RawClient {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Everything until `marker` has come, or the end of the connection.
    func read(until marker: String) -> String {
        var text = ""
        while !text.contains(marker), let more = readSome() { text += more }
        return text
    }

    /// Everything to the end, and the errno when it was not a clean one.
    func readToEnd() -> (text: String, code: Int32) {
        var text = ""
        while let more = readSome() { text += more }
        return (text, lastCode)
    }

    private var lastCode: Int32 = 0

    private func readSome() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        lastCode = count < 0 ? errno : 0
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}

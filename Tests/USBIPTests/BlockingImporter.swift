import Glibc
import NIOCore
import USBCore
import USBIP
import USBIPCodec
import USBIPTestKit

/// A client on a blocking socket with a time limit, as plain as `usbip` is.
final class BlockingImporter {
    let descriptor: CInt
    private(set) var peer = ImporterPeer(deviceID: 0)
    private var unread = ByteBuffer()

    struct Failure: Error, CustomStringConvertible { let description: String }

    init(port: Int) throws {
        descriptor = try Self.connect(try SocketAddress(ipAddress: "127.0.0.1", port: port))
    }

    init(path: String) throws {
        descriptor = try Self.connect(try SocketAddress(unixDomainSocketPath: path))
    }

    deinit { close() }

    private var isClosed = false

    func close() {
        guard !isClosed else { return }
        isClosed = true
        Glibc.close(descriptor)
    }

    /// Closes with a reset instead of an end of stream.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close()
    }

    private static func connect(_ address: SocketAddress) throws -> CInt {
        let family: CInt
        if case .unixDomainSocket = address { family = AF_UNIX } else { family = AF_INET }
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: \(String(cString: strerror(errno)))") }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard address.withSockAddr({ Glibc.connect(descriptor, $0, socklen_t($1)) }) == 0 else {
            let text = String(cString: strerror(errno))
            Glibc.close(descriptor)
            throw Failure(description: "connect: \(text)")
        }
        return descriptor
    }

    func send(_ bytes: some Collection<UInt8>) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends until the socket takes no more.
    ///
    /// - Returns: how much it took.
    func sendUntilFull(_ bytes: [UInt8], quiet milliseconds: CInt) -> Int {
        var sent = 0
        while true {
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&wait, 1, milliseconds) == 1 else { return sent }
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            }
            guard count > 0 else { return sent }
            sent += count
        }
    }

    /// The next bytes; empty at the end of the stream.
    func receive() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        if count < 0, errno == ECONNRESET { return [] }
        guard count >= 0 else { throw Failure(description: "recv: \(String(cString: strerror(errno)))") }
        return Array(bytes[..<count])
    }

    /// Whether the other side has closed.
    func isAtEnd() throws -> Bool { try receive().isEmpty }

    func operation(_ request: OperationRequest) throws -> OperationReply {
        var bytes = ByteBuffer()
        request.write(to: &bytes)
        try send(bytes.readableBytesView)
        return try operationReply()
    }

    func operationReply() throws -> OperationReply {
        while true {
            if let reply = try OperationReply.read(from: &unread) {
                if case .imported(let record) = reply { peer = ImporterPeer(deviceID: record.deviceID) }
                return reply
            }
            let bytes = try receive()
            guard !bytes.isEmpty else { throw Failure(description: "closed before the reply") }
            unread.writeBytes(bytes)
        }
    }

    func importDevice(_ busID: String) throws -> OperationReply {
        guard let busID = BusID(busID) else { throw Failure(description: "no bus id: \(busID)") }
        return try operation(.importDevice(busID))
    }

    /// Awaits the answer to a request that was sent in another way.
    func note(_ request: URBRequest) { peer.note(request) }

    func send(_ requests: URBRequest...) throws { try send(peer.bytes(requests).readableBytesView) }

    /// That many replies.
    func replies(_ count: Int) throws -> [URBReply] {
        var replies = try peer.receive(unread)
        unread = ByteBuffer()
        while replies.count < count {
            let bytes = try receive()
            guard !bytes.isEmpty else { throw Failure(description: "closed after \(replies)") }
            replies += try peer.receive(ByteBuffer(bytes: bytes))
        }
        return replies
    }
}

extension OperationReply {
    var record: DeviceRecord? { if case .imported(let record) = self { record } else { nil } }
    var devices: [ListedDevice]? { if case .devices(let devices) = self { devices } else { nil } }
    var status: OperationStatus? { if case .refused(_, let status) = self { status } else { nil } }
}

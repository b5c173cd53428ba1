import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A repeating pattern that both ends of a test can make and compare without keeping it.
enum Pattern {
    /// A prime length, so that no packet or frame size divides it.
    static let period = 1_000_003
    static let block: ByteBuffer = {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(period)
        var word: UInt32 = 0x2545_F491
        for _ in 0..<period {
            word ^= word << 13
            word ^= word >> 17
            word ^= word << 5
            bytes.append(UInt8(truncatingIfNeeded: word))
        }
        return ByteBuffer(bytes: bytes + bytes)
    }()

    /// At most one period.
    static func slice(at offset: Int, length: Int) -> ByteBuffer {
        block.getSlice(at: offset % period, length: min(length, period)) ?? ByteBuffer()
    }

    static func array(_ length: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < length { all += slice(at: all.count, length: length - all.count).readableBytesView }
        return all
    }
}

/// Compares a stream with the pattern, piece by piece.
struct PatternCheck {
    private(set) var count = 0
    private(set) var isEqual = true

    mutating func take(_ bytes: ByteBuffer) {
        if bytes.readableBytes > 0, bytes != Pattern.slice(at: count, length: bytes.readableBytes) { isEqual = false }
        count += bytes.readableBytes
    }
}

/// A HTTP/1.1 server that a cluster under test has as an upstream.
final class OriginServer: Sendable {
    let name: String
    let channel: any Channel
    private let counter: Counter
    private let accepted: Accepted

    /// Connections, to be cut when the server dies.
    final class Accepted: Sendable {
        let channels = Mutex<[any Channel]>([])
    }

    /// - Parameter unixPath: nil listens on a free port of 127.0.0.1, or on `port`.
    init(_ name: String, on group: any EventLoopGroup, port: Int = 0, unixPath: String? = nil) async throws {
        self.name = name
        let accepted = Accepted()
        self.accepted = accepted
        let counter = Counter()
        self.counter = counter
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                accepted.channels.withLock { $0.append(channel) }
                return channel.pipeline.configureHTTPServerPipeline(withErrorHandling: false).flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(
                        OriginHandler(name: name, count: { counter.requests.add(1, ordering: .relaxed) }))
                }
            }
        if let unixPath {
            channel = try await bootstrap.bind(unixDomainSocketPath: unixPath).get()
        } else {
            channel = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
        }
        self.port = channel.localAddress?.port ?? 0
    }

    private final class Counter: Sendable {
        let requests = Atomic<Int>(0)
    }

    var requests: Int { counter.requests.load(ordering: .relaxed) }
    let port: Int
    var text: String { "127.0.0.1:\(port)" }
    var connections: Int { accepted.channels.withLock { $0.count { $0.isActive } } }

    /// Dies at once, with all connections.
    func kill() async throws {
        if channel.isActive { try await channel.close() }
        let channels = accepted.channels.withLock { $0 }
        for channel in channels where channel.isActive { try? await channel.close() }
    }
}

/// `/blob/N` and `/chunked/N` give N pattern bytes, `/sink` checks what it gets, `/hold` never answers,
/// `/half` answers a part and no more, `/headers` tells what it was sent, anything else gives the server's name.
private final class OriginHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let name: String
    private let count: @Sendable () -> Void
    private var head: HTTPRequestHead?
    private var check = PatternCheck()
    private var left = 0
    private var sent = 0
    private var isSending = false

    init(name: String, count: @escaping @Sendable () -> Void) {
        self.name = name
        self.count = count
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            count()
            self.head = head
            check = PatternCheck()
        case .body(let bytes):
            check.take(bytes)
        case .end:
            if let head { answer(head, context) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isSending { pump(context) }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let parts = head.uri.split(separator: "/")
        switch parts.first {
        case "blob":
            left = Int(parts.last ?? "") ?? 0
            start(context, ["content-length": "\(left)"])
            head.method == .HEAD ? finish(context) : pump(context)
        case "chunked":
            left = Int(parts.last ?? "") ?? 0
            start(context, ["transfer-encoding": "chunked", "keep-alive": "timeout=5"])
            pump(context)
        case "hold": break
        case "half":
            start(context, ["content-length": "100000000"])
            context.writeAndFlush(
                wrapOutboundOut(.body(.byteBuffer(Pattern.slice(at: 0, length: 100_000)))), promise: nil)
        case "sink": text(context, "\(name) \(check.count) \(check.isEqual ? "equal" : "different")")
        case "headers":
            let lines = head.headers.map { "\($0.name.lowercased()): \($0.value)" }
            text(context, (["\(head.method) \(head.uri)"] + lines).joined(separator: "\n"))
        default: text(context, name)
        }
    }

    private func text(_ context: ChannelHandlerContext, _ text: String) {
        start(context, ["content-length": "\(text.utf8.count)"])
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        finish(context)
    }

    private func start(_ context: ChannelHandlerContext, _ headers: HTTPHeaders) {
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        sent = 0
        isSending = true
    }

    private func pump(_ context: ChannelHandlerContext) {
        while left > 0, context.channel.isWritable {
            let bytes = Pattern.slice(at: sent, length: min(left, 65536))
            sent += bytes.readableBytes
            left -= bytes.readableBytes
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
        if left == 0, isSending { finish(context) }
    }

    private func finish(_ context: ChannelHandlerContext) {
        isSending = false
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

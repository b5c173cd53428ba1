import NIOCore
import NIOHPACK
import NIOHTTP2

@testable import SimulatedFirmware

/// What a guest got for one request.
struct Answer: Sendable {
    var status = 0
    var headers = HPACKHeaders()
    /// The first bytes of the body.
    var text = ""
    var check = PatternCheck()
    /// The stream ended without END_STREAM.
    var isBroken = false
    var isInformed = false
}

/// A guest's request body: `size` bytes of the pattern, or a text.
struct Upload: Sendable {
    var size: Int
    var announced = true
    var text: ByteBuffer?

    init(size: Int, announced: Bool = true) {
        self.size = size
        self.announced = announced
    }

    init(text: String) {
        let bytes = ByteBuffer(string: text)
        size = bytes.readableBytes
        self.text = bytes
    }

    func slice(at offset: Int) -> ByteBuffer {
        let length = min(65536, size - offset)
        return text?.getSlice(at: offset, length: length) ?? Pattern.slice(at: offset, length: length)
    }
}

extension Bench {
    /// Starts an HTTP/2 client on the guest's end of the bulk pipe.
    func startClient() async throws {
        try await run { state in
            // A former client's transfers would take this one's bytes.
            state.guest.cancelParked()
            let pipe = GuestPipe(state.guest)
            let loop = state.guest.loop
            let channel = BulkChannel(usb: pipe, input: .bulkIn, output: .bulkOut, eventLoop: loop)
            pipe.changed = { [weak channel] in
                channel?.inputReady()
                channel?.outputReady()
            }
            var connection = NIOHTTP2Handler.ConnectionConfiguration()
            connection.targetWindowSize = 16 << 20
            connection.initialSettings = [
                HTTP2Setting(parameter: .initialWindowSize, value: 4 << 20),
                HTTP2Setting(parameter: .maxFrameSize, value: 65536),
            ]
            var stream = NIOHTTP2Handler.StreamConfiguration()
            stream.targetWindowSize = 4 << 20
            stream.outboundBufferSizeHighWatermark = 1 << 20
            stream.outboundBufferSizeLowWatermark = 1 << 18
            let http2 = NIOHTTP2Handler(
                mode: .client, eventLoop: loop, connectionConfiguration: connection, streamConfiguration: stream
            ) { $0.eventLoop.makeSucceededVoidFuture() }
            try channel.pipeline.syncOperations.addHandler(http2)
            try channel.pipeline.syncOperations.addHandler(SessionEndHandler { _ in })
            state.client = channel
            state.pipe = pipe
            state.multiplexer = try http2.syncMultiplexer()
            channel.activate()
        }
    }

    /// Sends one request and waits for the end of its stream.
    func request(
        _ path: String, method: String = "GET", authority: String? = "web", headers: [(String, String)] = [],
        upload: Upload? = nil, body: String = "", reads: Bool = true
    ) async throws -> Answer {
        let upload = body.isEmpty ? upload : Upload(text: body)
        let answer = loop.makePromise(of: Answer.self)
        var block = HPACKHeaders()
        block.add(name: ":method", value: method)
        if method != "CONNECT" {
            block.add(name: ":scheme", value: "http")
            block.add(name: ":path", value: path)
        }
        if let authority { block.add(name: ":authority", value: authority) }
        for (name, value) in headers { block.add(name: name, value: value) }
        if let upload, upload.announced { block.add(name: "content-length", value: "\(upload.size)") }
        let head = block
        try await run { state in
            guard let multiplexer = state.multiplexer else { throw ChannelError.ioOnClosedChannel }
            multiplexer.createStreamChannel { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ClientStream(head, upload: upload, reads: reads, answer: answer))
                }
            }.cascadeFailure(to: answer)
        }
        return try await answer.futureResult.get()
    }
}

extension Bench {
    /// Opens a CONNECT stream that stays open until the session ends; returns the status of the answer.
    func connectAndHold(_ authority: String) async throws -> Int {
        let status = loop.makePromise(of: Int.self)
        try await run { state in
            guard let multiplexer = state.multiplexer else { throw ChannelError.ioOnClosedChannel }
            multiplexer.createStreamChannel { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HeldStream(authority, status: status))
                }
            }.cascadeFailure(to: status)
        }
        return try await status.futureResult.get()
    }
}

/// A stream that asks for a byte service and then says nothing.
private final class HeldStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let authority: String
    private let status: EventLoopPromise<Int>

    init(_ authority: String, status: EventLoopPromise<Int>) {
        self.authority = authority
        self.status = status
    }

    func channelActive(context: ChannelHandlerContext) {
        let head: HPACKHeaders = [":method": "CONNECT", ":authority": authority]
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .headers(let headers) = unwrapInboundIn(data) else { return }
        status.succeed(Int(headers.headers.first(name: ":status") ?? "") ?? 0)
    }

    func channelInactive(context: ChannelHandlerContext) { status.fail(ChannelError.eof) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// One request of a guest.
private final class ClientStream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let head: HPACKHeaders
    private let upload: Upload?
    private let reads: Bool
    private var promise: EventLoopPromise<Answer>?
    private var answer = Answer()
    private var sent = 0
    private var isDone = false

    init(_ head: HPACKHeaders, upload: Upload?, reads: Bool, answer: EventLoopPromise<Answer>) {
        self.head = head
        self.upload = upload
        self.reads = reads
        promise = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(
            wrapOutboundOut(.headers(.init(headers: head, endStream: upload == nil))), promise: nil)
        pump(context)
    }

    func read(context: ChannelHandlerContext) {
        if reads { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump(context)
    }

    private func pump(_ context: ChannelHandlerContext) {
        guard let upload, !isDone else { return }
        while context.channel.isActive, context.channel.isWritable, sent < upload.size {
            let bytes = upload.slice(at: sent)
            sent += bytes.readableBytes
            let end = sent == upload.size
            isDone = end
            context.writeAndFlush(
                wrapOutboundOut(.data(.init(data: .byteBuffer(bytes), endStream: end))), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            let status = Int(headers.headers.first(name: ":status") ?? "") ?? 0
            if status == 100 {
                answer.isInformed = true
            } else {
                answer.status = status
                answer.headers = headers.headers
            }
            if headers.endStream { end(false) }
        case .data(let payload):
            if case .byteBuffer(let bytes) = payload.data {
                if answer.text.utf8.count < 16384 {
                    answer.text += String(
                        buffer: bytes.getSlice(at: bytes.readerIndex, length: min(16384, bytes.readableBytes))
                            ?? ByteBuffer())
                }
                answer.check.take(bytes)
            }
            if payload.endStream { end(false) }
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(true)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func end(_ isBroken: Bool) {
        answer.isBroken = isBroken
        promise?.succeed(answer)
        promise = nil
    }
}

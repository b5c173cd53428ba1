import DequeModule
import NIOCore
import Synchronization
import USBDevice

/// The bytes of a bulk IN and a bulk OUT endpoint as a NIO channel of `ByteBuffer`s, without sockets in between.
///
/// Back-pressure: OUT transfers are taken only when the pipeline reads (else the guest gets NAK), and the channel is
/// not writable while more than `highWatermark` bytes wait for the guest.
///
/// Unchecked Sendable because NIO wants channels to be: everything mutable is touched on `eventLoop` only, except the
/// two flags that NIO lets other threads read, which are atomic.
final class BulkChannel: Channel, ChannelCore, @unchecked Sendable {
    /// Bytes waiting for the guest above and below which writability changes.
    static let highWatermark = 512 * 1024
    static let lowWatermark = 128 * 1024
    /// Bytes in the endpoint's queue above which it gets no more.
    static let endpointMark = 128 * 1024
    /// Bytes joined into one piece for the endpoint.
    private static let pieceSize = 64 * 1024

    let eventLoop: any EventLoop
    let allocator = ByteBufferAllocator()
    let localAddress: SocketAddress? = nil
    let remoteAddress: SocketAddress? = nil
    let parent: (any Channel)? = nil
    private(set) lazy var pipeline = ChannelPipeline(channel: self)

    private let input: EndpointKey
    private let output: EndpointKey
    /// nil once closed.
    private var usb: (any FunctionContext)?
    private let closePromise: EventLoopPromise<Void>
    private let active = Atomic<Bool>(false)
    private let writable = Atomic<Bool>(true)

    private var isReadPending = false
    private var isDelivering = false
    private var isSending = false
    private var writes: Deque<(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)> = []
    private var flushed = 0
    private var pendingBytes = 0

    /// - Parameters:
    ///   - input: the endpoint that this channel reads, from the guest.
    ///   - output: the endpoint that it writes, to the guest.
    init(usb: any FunctionContext, input: EndpointKey, output: EndpointKey, eventLoop: any EventLoop) {
        eventLoop.preconditionInEventLoop()
        self.usb = usb
        self.input = input
        self.output = output
        self.eventLoop = eventLoop
        closePromise = eventLoop.makePromise()
        // Made here, on the loop; afterwards other threads may look at it.
        _ = pipeline
    }

    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var isActive: Bool { active.load(ordering: .relaxed) }
    var isWritable: Bool { writable.load(ordering: .relaxed) }
    var _channelCore: any ChannelCore { self }

    // MARK: What the function calls

    /// Opens the channel; its handlers are in place.
    func activate() {
        guard usb != nil, !isActive else { return }
        pipeline.fireChannelRegistered()
        active.store(true, ordering: .relaxed)
        pipeline.fireChannelActive()
        requestRead()
    }

    /// OUT transfers may wait.
    func inputReady() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        while isActive, isReadPending, let first = usb?.read(input) {
            isReadPending = false
            pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: first)))
            var budget = 15
            while isActive, budget > 0, let bytes = usb?.read(input) {
                budget -= 1
                pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes)))
            }
            guard isActive else { return }
            pipeline.fireChannelReadComplete()
            requestRead()
        }
    }

    /// The guest has taken bytes.
    func outputReady() {
        send(upTo: Self.endpointMark)
    }

    private func requestRead() {
        if isActive { pipeline.read() }
    }

    // MARK: ChannelCore

    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }

    func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func read0() {
        isReadPending = true
        inputReady()
    }

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isActive else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard let bytes = tryUnwrapData(data, as: ByteBuffer.self) ?? Self.buffer(tryUnwrapData(data, as: IOData.self))
        else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        pendingBytes += bytes.readableBytes
        writes.append((bytes, promise))
        updateWritability()
    }

    private static func buffer(_ data: IOData?) -> ByteBuffer? {
        if case .byteBuffer(let bytes) = data { bytes } else { nil }
    }

    func flush0() {
        flushed = writes.count
        send(upTo: Self.endpointMark)
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        guard usb != nil else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        // What was flushed, such as GOAWAY, still goes out.
        send(upTo: .max)
        usb = nil
        let wasActive = active.exchange(false, ordering: .relaxed)
        let rest = writes
        writes = []
        flushed = 0
        pendingBytes = 0
        for write in rest { write.promise?.fail(error) }
        promise?.succeed(())
        if wasActive { pipeline.fireChannelInactive() }
        pipeline.fireChannelUnregistered()
        eventLoop.execute {
            // This also makes the pipeline forget its channel.
            self.removeHandlers(pipeline: self.pipeline)
            self.closePromise.succeed(())
        }
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    /// Nobody took it: a session's handlers take all bytes.
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        // Reading is automatic; a handler that wants less keeps `read` to itself.
        if option is ChannelOptions.Types.AutoReadOption, let value = true as? Option.Value {
            return eventLoop.makeSucceededFuture(value)
        }
        return eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    // MARK: Sending

    /// Gives flushed bytes to the endpoint while fewer than `mark` wait there.
    private func send(upTo mark: Int) {
        guard !isSending, usb != nil else { return }
        isSending = true
        defer { isSending = false }
        repeat {
            pass(upTo: mark)
            // Told that there is room, handlers write and flush more: nobody else would send that while the guest waits.
            updateWritability()
        } while flushed > 0 && usb.map { $0.queuedBytes(output) < mark } ?? false
    }

    private func pass(upTo mark: Int) {
        while flushed > 0, let usb, usb.queuedBytes(output) < mark {
            var piece: [UInt8] = []
            var promises: [EventLoopPromise<Void>] = []
            while flushed > 0, piece.count < Self.pieceSize, let write = writes.popFirst() {
                flushed -= 1
                pendingBytes -= write.bytes.readableBytes
                if piece.isEmpty {
                    piece.reserveCapacity(
                        write.bytes.readableBytes + (flushed > 0 ? min(pendingBytes, Self.pieceSize) : 0))
                }
                piece.append(contentsOf: write.bytes.readableBytesView)
                if let promise = write.promise { promises.append(promise) }
            }
            usb.write(piece, to: output, endOfMessage: false)
            for promise in promises { promise.succeed(()) }
        }
    }

    private func updateWritability() {
        let waiting = pendingBytes + (usb?.queuedBytes(output) ?? 0)
        if isWritable, waiting > Self.highWatermark {
            writable.store(false, ordering: .relaxed)
        } else if !isWritable, waiting < Self.lowWatermark {
            writable.store(true, ordering: .relaxed)
        } else {
            return
        }
        if isActive { pipeline.fireChannelWritabilityChanged() }
    }
}

import Dispatch
import Glibc
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// One open session with an interface, for questions to its directory: a request at a time, answered whole.
public final class DirectoryChannel: Sendable {
    /// Bytes of the longest answer.
    private static let maximumAnswer = 16 << 20

    public struct Answer: Sendable, Equatable {
        public var status: Int
        public var body: [UInt8]
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let pump = NIOThreadPool(numberOfThreads: 1)
    private let stop: StopSignal
    private let loop: any EventLoop
    private let link: NIOLoopBound<DeviceLink>

    /// - Parameters:
    ///   - notified: called on another thread with each message of the interrupt endpoint.
    ///   - ended: called on another thread when the session has ended by itself.
    public init(
        _ session: any PipeSession, notified: (@Sendable () -> Void)? = nil, ended: (@Sendable () -> Void)? = nil
    ) throws(GuestError) {
        stop = try StopSignal()
        let loop = group.next()
        self.loop = loop
        var ends: [CInt] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .failed("socketpair: \(errorText(errno))") }
        let (ours, theirs, service) = (ends[0], ends[1], session.service)
        do {
            link = try loop.submit {
                let link = DeviceLink(eventLoop: loop, patience: .seconds(5), service: nil, expected: service)
                link.opened(socket: theirs, service: service)
                return NIOLoopBound(link, eventLoop: loop)
            }.wait()
        } catch {
            close(ours)
            throw .failed("\(error)")
        }
        let (link, stop) = (link, stop)
        let box = SessionBox(session: session)
        pump.start()
        pump.submit { _ in
            let end = box.session.run(socket: ours, stop: stop, notified: notified.map { heard in { _ in heard() } })
            loop.execute { link.value.lost(end.description) }
            close(ours)
            if end != .stopped { ended?() }
        }
    }

    /// - Parameter path: the whole path.
    public func request(_ method: String, _ path: String, body: [UInt8] = []) throws(GuestError) -> Answer {
        let (link, loop) = (link, loop)
        let future = loop.flatSubmit { () -> EventLoopFuture<Answer> in
            let promise = loop.makePromise(of: Answer.self)
            let collector = NIOLoopBound(
                AnswerCollector(promise, limit: Self.maximumAnswer) { link.value.explanation($0) }, eventLoop: loop)
            link.value.makeStream { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(collector.value)
                }
            }.whenComplete { result in
                switch result {
                case .failure(let error): promise.fail(error)
                case .success(let stream):
                    let head: HPACKHeaders = [
                        ":method": method, ":scheme": "http", ":authority": link.value.authority, ":path": path,
                    ]
                    stream.write(
                        HTTP2Frame.FramePayload.headers(.init(headers: head, endStream: body.isEmpty)), promise: nil)
                    if !body.isEmpty {
                        let bytes = ByteBuffer(bytes: body)
                        stream.write(
                            HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes), endStream: true)),
                            promise: nil)
                    }
                    stream.flush()
                }
            }
            return promise.futureResult
        }
        do {
            return try future.wait()
        } catch {
            switch error {
            case DeviceLink.Failure.away(let reason), DeviceLink.Failure.lost(let reason): throw .failed(reason)
            case let error as AnswerCollector.Failure: throw .failed(error.reason)
            default: throw .failed("\(error)")
            }
        }
    }

    /// Ends the session; the interface is free again when this returns.
    public func end() throws(GuestError) {
        stop.stop()
        do {
            try pump.syncShutdownGracefully()
            try group.syncShutdownGracefully()
        } catch {
            throw .failed("\(error)")
        }
    }
}

/// Carries the session to the pump's thread, its only user from then on.
private struct SessionBox: @unchecked Sendable {
    let session: any PipeSession
}

/// Gathers one answer.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    struct Failure: Error { var reason: String }

    private let promise: EventLoopPromise<DirectoryChannel.Answer>
    private let limit: Int
    private let explain: (String?) -> String
    private var status: Int?
    private var body: [UInt8] = []
    private var isDone = false

    init(_ promise: EventLoopPromise<DirectoryChannel.Answer>, limit: Int, explain: @escaping (String?) -> String) {
        self.promise = promise
        self.limit = limit
        self.explain = explain
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if let code = HeaderTranslation.status(frame.headers), code >= 200 { status = code }
            if frame.endStream { finish() }
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data { body += bytes.readableBytesView }
            if body.count > limit {
                fail("the answer has more than \(limit) bytes")
                context.close(promise: nil)
            } else if frame.endStream {
                finish()
            }
        default: break
        }
    }

    private func finish() {
        guard let status else { return fail("the device answered without a status") }
        isDone = true
        promise.succeed(DirectoryChannel.Answer(status: status, body: body))
    }

    private func fail(_ reason: String) {
        guard !isDone else { return }
        isDone = true
        promise.fail(Failure(reason: reason))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(explain(nil))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail("\(error)")
        context.close(promise: nil)
    }
}

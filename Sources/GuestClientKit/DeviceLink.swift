import NIOCore
import NIOHTTP2
import NIOPosix

/// The HTTP/2 connection to the device while there is one, and the requests that wait while there is none.
/// Confined to one event loop.
final class DeviceLink {
    /// Why no stream could be had.
    enum Failure: Error {
        /// The device stayed away for the whole waiting time.
        case away(String)
        /// It left while the stream was being made.
        case lost(String)
    }

    typealias StreamInitializer = @Sendable (Channel) -> EventLoopFuture<Void>

    private enum State {
        case away(reason: String)
        case open(Channel, NIOHTTP2Handler.StreamMultiplexer)
    }

    private static let streamWindow = 1 << 20
    private static let connectionWindow = 16 << 20

    let eventLoop: any EventLoop
    private let patience: TimeAmount
    private let service: String?
    private var state = State.away(reason: "the device is not plugged in")
    private var waiting: [Int: EventLoopPromise<NIOHTTP2Handler.StreamMultiplexer>] = [:]
    private var nextWaiter = 0
    private var streams = 0
    private var isGoingAway = false
    private var hasFailed = false
    /// The service that requests are addressed to.
    private(set) var authority: String
    /// The interface's own service is a byte service, and no other was asked for.
    private(set) var isByteService = false
    /// Requests name their service by their host.
    private var isDirectory = false
    /// Services that requests may name so.
    private var services: Set<String> = []
    /// Why the last connection ended.
    private(set) var reason = "the device is not plugged in"

    /// - Parameter expected: what the first session will stand for, where there is one already.
    init(eventLoop: any EventLoop, patience: TimeAmount, service: String?, expected: PipeService? = nil) {
        self.eventLoop = eventLoop
        self.patience = patience
        self.service = service
        authority = service ?? "web"
        if let expected { standsFor(expected) }
    }

    /// The service that a request to `host` is meant for: its name as the host's, where there is such a service.
    func authority(forHost host: String?) -> String {
        guard service == nil, var name = host?.lowercased() else { return authority }
        if let colon = name.lastIndex(of: ":"), UInt16(name[name.index(after: colon)...]) != nil {
            name = String(name[..<colon])
        }
        guard ServiceName.isValid(name) else { return authority }
        return isDirectory || services.contains(name) ? name : authority
    }

    private func standsFor(_ found: PipeService) {
        isDirectory = found.isDirectory
        services = found.services
        if service == nil && ServiceName.isValid(found.name) { authority = found.name }
        isByteService = found.isByteService && authority == found.name
    }

    /// Takes the local end of a new session's socket and speaks HTTP/2 on it.
    func opened(socket: CInt, service found: PipeService) {
        standsFor(found)
        isGoingAway = false
        hasFailed = false
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                        mode: .client, connectionConfiguration: Self.connectionConfiguration,
                        streamConfiguration: Self.streamConfiguration
                    ) { $0.close() }
                    try channel.pipeline.syncOperations.addHandler(LinkHandler(link: bound.value))
                    bound.value.ready(channel, multiplexer)
                }
            }
            .withConnectedSocket(socket)
            .whenFailure { error in bound.value.lost("the HTTP/2 session could not start: \(error)") }
    }

    private static var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.targetWindowSize = connectionWindow
        configuration.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HPACKDecoderLimit.maximumHeaderListSize),
        ]
        return configuration
    }

    private static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        configuration.outboundBufferSizeHighWatermark = 128 << 10
        configuration.outboundBufferSizeLowWatermark = 32 << 10
        return configuration
    }

    private func ready(_ channel: Channel, _ multiplexer: NIOHTTP2Handler.StreamMultiplexer) {
        streams = 0
        state = .open(channel, multiplexer)
        let promises = waiting.values
        waiting = [:]
        // The connection becomes active when the initializer has returned; streams must come after its preface.
        eventLoop.execute { promises.forEach { $0.succeed(multiplexer) } }
    }

    /// The device or the session is gone; open streams end now.
    func lost(_ reason: String) {
        self.reason = reason
        guard case .open(let channel, _) = state else {
            state = .away(reason: reason)
            return
        }
        state = .away(reason: reason)
        channel.close(promise: nil)
    }

    /// Records why there is no device now, for those who wait in vain.
    func unavailable(_ reason: String) {
        self.reason = reason
        if case .away = state { state = .away(reason: reason) }
    }

    /// A new stream; waits for the device when it is away.
    func makeStream(_ initializer: @escaping StreamInitializer) -> EventLoopFuture<Channel> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return connection().flatMap { multiplexer in
            multiplexer.createStreamChannel(initializer).flatMapErrorThrowing { error in
                throw Failure.lost(bound.value.reasonOr(error))
            }
        }.map { channel in
            bound.value.streamOpened(channel)
            return channel
        }
    }

    private func connection() -> EventLoopFuture<NIOHTTP2Handler.StreamMultiplexer> {
        if case .open(_, let multiplexer) = state, !isGoingAway {
            return eventLoop.makeSucceededFuture(multiplexer)
        }
        let promise = eventLoop.makePromise(of: NIOHTTP2Handler.StreamMultiplexer.self)
        let number = nextWaiter
        nextWaiter += 1
        waiting[number] = promise
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let timeout = eventLoop.scheduleTask(in: patience) {
            let link = bound.value
            link.waiting.removeValue(forKey: number)?.fail(Failure.away(link.reason))
        }
        promise.futureResult.whenComplete { _ in timeout.cancel() }
        return promise.futureResult
    }

    private func streamOpened(_ stream: Channel) {
        guard case .open(let channel, _) = state, stream.parent === channel else { return }
        streams += 1
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        stream.closeFuture.whenComplete { _ in bound.value.streamClosed(of: channel) }
    }

    private func streamClosed(of connection: Channel) {
        guard case .open(let channel, _) = state, channel === connection else { return }
        streams -= 1
        closeIfDone()
    }

    /// RFC 9113 6.8: the peer takes no new streams; those it has may finish.
    fileprivate func goingAway(_ connection: Channel, code: HTTP2ErrorCode) {
        guard case .open(let channel, _) = state, channel === connection else { return }
        isGoingAway = true
        reason = "the device ended the HTTP/2 session (\(code))"
        closeIfDone()
    }

    private func closeIfDone() {
        guard isGoingAway, streams <= 0, case .open(let channel, _) = state else { return }
        channel.close(promise: nil)
    }

    fileprivate func connectionFailed(_ connection: Channel, _ error: any Error) {
        guard case .open(let channel, _) = state, channel === connection else { return }
        // Errors that follow the first are its consequences.
        if !hasFailed { reason = "HTTP/2: \(error)" }
        hasFailed = true
        channel.close(promise: nil)
    }

    fileprivate func connectionClosed(_ connection: Channel) {
        guard case .open(let channel, _) = state, channel === connection else { return }
        if !isGoingAway && !hasFailed { reason = "the HTTP/2 session was closed" }
        state = .away(reason: reason)
    }

    /// Why a stream ended: what happened to the device explains more than what happened to the stream.
    func explanation(_ failure: String?) -> String {
        if case .open = state { return failure ?? "the device ended the request without an answer" }
        return reason
    }

    private func reasonOr(_ error: any Error) -> String {
        if case .away(let reason) = state { return reason }
        return "the device refused the request: \(error)"
    }

    /// Ends the connection and every waiting request.
    func shutdown() {
        let promises = waiting.values
        waiting = [:]
        promises.forEach { $0.fail(Failure.away("the proxy is stopping")) }
        lost("the proxy is stopping")
    }
}

private enum HPACKDecoderLimit {
    static let maximumHeaderListSize = 64 << 10
}

/// Tells the link about its connection: GOAWAY, errors, the end.
private final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let link: DeviceLink

    init(link: DeviceLink) { self.link = link }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .goAway(_, let code, _) = unwrapInboundIn(data).payload {
            link.goingAway(context.channel, code: code)
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Errors of one stream reach that stream's own channel; this one is about the connection only when it says so.
        if error is NIOHTTP2Errors.StreamError { return }
        link.connectionFailed(context.channel, error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.connectionClosed(context.channel)
        context.fireChannelInactive()
    }
}

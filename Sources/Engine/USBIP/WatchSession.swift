import ControlSocket
import Foundation
import NIOCore

/// The engine's end of one watch channel, on the channel's event loop. Of what the guest says nothing is trusted.
final class WatchSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: WatchLink
    private let peer: String
    private let inbox: ExportInbox
    private let timing: WatchTiming
    private let decoder = JSONDecoder()
    /// Set by the guest's first line.
    private var guest: String?
    private var lastHeard = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var end: String?

    init(link: WatchLink, peer: String, inbox: ExportInbox, timing: WatchTiming) {
        self.link = link
        self.peer = peer
        self.inbox = inbox
        self.timing = timing
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lastHeard = context.eventLoop.now
        schedule(in: timing.hello, context) { session, context in
            session.refuse("no watch line within \(Int(session.timing.hello)) s", context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        lastHeard = context.eventLoop.now
        let report: WatchReport
        do {
            report = try decoder.decode(WatchReport.self, from: Data(unwrapInboundIn(data).readableBytesView))
        } catch {
            return refuse("that is no line of the watch protocol, version \(WatchProtocol.version)", context)
        }
        switch (report, guest) {
        case (.watch(let version, let guest), nil): begin(version, guest, context)
        case (.watch, _?): refuse("a second watch line", context)
        case (_, nil): refuse("the first line must be watch", context)
        case (.pong, _): break
        default:
            if !inbox.post(.watchSaid(link.id, report)) { refuse("more reports than orders", context) }
        }
    }

    private func begin(_ version: Int, _ guest: String, _ context: ChannelHandlerContext) {
        guard version == WatchProtocol.version else {
            return refuse("version \(version) is not known; this engine speaks \(WatchProtocol.version)", context)
        }
        guard !guest.isEmpty, guest.utf8.count <= WatchProtocol.maximumNameLength, printable(guest) == guest else {
            return refuse(
                "a guest's name has 1 to \(WatchProtocol.maximumNameLength) bytes, all of them printable", context)
        }
        self.guest = guest
        link.send(.hello(version: WatchProtocol.version, guest: guest))
        // Never refused: there is one for each connection.
        _ = inbox.post(.watchOpened(link, guest: guest, peer: peer))
        ping(context)
    }

    private func ping(_ context: ChannelHandlerContext) {
        schedule(in: timing.ping, context) { session, context in
            let silence = context.eventLoop.now - session.lastHeard
            guard silence < .nanoseconds(Int64(session.timing.silence * 1e9)) else {
                session.end = "silent for \(Int(session.timing.silence)) s"
                context.close(promise: nil)
                return
            }
            session.link.send(.ping)
            session.ping(context)
        }
    }

    private func schedule(
        in seconds: Double, _ context: ChannelHandlerContext,
        _ body: @escaping (WatchSession, ChannelHandlerContext) -> Void
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(seconds * 1e9))) {
            [weak self] in
            guard let self, self.end == nil else { return }
            body(self, context)
        }
    }

    /// Says why, then closes.
    private func refuse(_ reason: String, _ context: ChannelHandlerContext) {
        guard end == nil else { return }
        end = reason
        if guest == nil { _ = inbox.post(.refused(peer: peer, reason: "watch channel: \(reason)")) }
        link.close(reason)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is LineFrameDecoder.TooLong {
            refuse("a line longer than \(WatchProtocol.maximumLineLength) bytes", context)
        } else {
            end = end ?? printable("\(error)", limit: 200)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        if guest != nil { _ = inbox.post(.watchClosed(link.id, reason: end ?? "closed by the guest")) }
        guest = nil
        end = end ?? "closed"
        context.fireChannelInactive()
    }
}

/// The way to a guest that watches, from everywhere.
struct WatchLink: Sendable {
    let id: UInt64
    private let channel: any Channel

    init(id: UInt64, channel: any Channel) {
        self.id = id
        self.channel = channel
    }

    /// Sends a line; one to a guest that does not read is lost, and its silence ends it.
    func send(_ order: WatchOrder) {
        guard channel.isActive, channel.isWritable, let bytes = Self.line(order) else { return }
        channel.writeAndFlush(bytes, promise: nil)
    }

    /// Says why, then closes.
    func close(_ reason: String) {
        let channel = channel
        guard channel.isWritable, let bytes = Self.line(.refused(reason: reason)) else {
            return channel.close(promise: nil)
        }
        channel.writeAndFlush(bytes).whenComplete { _ in channel.close(promise: nil) }
        // One that does not read is not waited for.
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }

    private static func line(_ order: WatchOrder) -> ByteBuffer? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        guard let data = try? encoder.encode(order) else { return nil }
        var bytes = ByteBuffer(bytes: data)
        bytes.writeInteger(UInt8(ascii: "\n"))
        return bytes
    }
}

import NIOCore
import NIOPosix
import Synchronization

/// The host's end of guests' watch channels, worked by hand: what an engine says, a test says here.
final class WatchDesk: Sendable {
    private struct State {
        var channel: (any Channel)?
        var lines: [String] = []
        var connections = 0
    }

    private let state = Mutex(State())

    /// For an exporter, which calls it with each watch connection.
    func serve(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Lines(desk: self))
            state.withLock {
                $0.channel = channel
                $0.connections += 1
            }
        }
    }

    var connections: Int { state.withLock { $0.connections } }
    var lines: [String] { state.withLock { $0.lines } }

    /// Sends a line on the newest connection.
    func say(_ line: String) async throws {
        guard let channel = state.withLock({ $0.channel }) else {
            throw LabEnvironment.Failure(description: "no guest watches")
        }
        try await channel.writeAndFlush(ByteBuffer(string: line + "\n")).get()
    }

    func attach(_ busID: String, _ name: String) async throws {
        try await say(#"{"attach":{"busid":"\#(busID)","name":"\#(name)","speed":"high"}}"#)
    }

    func detach(_ busID: String) async throws { try await say(#"{"detach":{"busid":"\#(busID)"}}"#) }

    /// Waits until a line that begins so has come `count` times.
    func wait(for prefix: String, count: Int = 1, seconds: Double = 30) async throws {
        try await eventually("\(count) of \(prefix) in \(lines.suffix(6))", seconds: seconds) {
            self.lines.count { $0.hasPrefix(prefix) } >= count
        }
    }

    /// Waits for a guest's first words and greets it.
    func greet(count: Int = 1) async throws {
        try await wait(for: #"{"watch":{"version":1,"guest":"#, count: count, seconds: 60)
        try await say(#"{"hello":{"version":1,"guest":"net"}}"#)
    }

    /// Ends the connection as a dying engine does.
    func hangUp() async throws {
        do { try await state.withLock { $0.channel }?.close().get() } catch ChannelError.alreadyClosed {}
    }

    private final class Lines: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let desk: WatchDesk
        private var partial = ""

        init(desk: WatchDesk) { self.desk = desk }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            partial += String(buffer: unwrapInboundIn(data))
            while let end = partial.firstIndex(of: "\n") {
                let line = String(partial[..<end])
                partial.removeSubrange(...end)
                desk.state.withLock { $0.lines.append(line) }
            }
        }
    }
}

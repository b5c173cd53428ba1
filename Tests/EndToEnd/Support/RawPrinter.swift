import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A network printer on the host: takes jobs at a raw port, at first not a byte of them.
final class RawPrinter: Sendable {
    private struct State {
        var received = Data()
        var jobs = 0
        var ended = 0
        var bytesPerSecond = 0
        var waiting: (any Channel)?
    }

    private let state = NIOLockedValueBox(State())
    private let listener = NIOLockedValueBox<(any Channel)?>(nil)

    /// Connections so far.
    var jobs: Int { state.withLockedValue { $0.jobs } }
    /// Those whose sender has said that this is all.
    var ended: Int { state.withLockedValue { $0.ended } }
    var received: Data { state.withLockedValue { $0.received } }
    var number: Int { listener.withLockedValue { $0?.localAddress?.port ?? 0 } }

    static func start() async throws -> RawPrinter {
        let printer = RawPrinter()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Job(printer: printer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        printer.listener.withLockedValue { $0 = channel }
        return printer
    }

    /// Begins to read, no faster than this.
    func read(bytesPerSecond: Int) throws {
        let channel = state.withLockedValue { state in
            state.bytesPerSecond = bytesPerSecond
            return state.waiting
        }
        channel?.read()
    }

    func close() async throws { try await listener.withLockedValue { $0 }?.close() }

    private final class Job: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let printer: RawPrinter
        private var count = 0

        init(printer: RawPrinter) {
            self.printer = printer
        }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            let rate = printer.state.withLockedValue { state in
                state.jobs += 1
                state.waiting = channel
                return state.bytesPerSecond
            }
            if rate > 0 { context.read() }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            count += buffer.readableBytes
            printer.state.withLockedValue { $0.received.append(contentsOf: buffer.readableBytesView) }
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            let rate = printer.state.withLockedValue { $0.bytesPerSecond }
            let channel = context.channel
            let delay = TimeAmount.nanoseconds(Int64(count) * 1_000_000_000 / Int64(max(1, rate)))
            count = 0
            context.eventLoop.scheduleTask(in: delay) { channel.read() }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard let event = event as? ChannelEvent, event == .inputClosed else { return }
            printer.state.withLockedValue { $0.ended += 1 }
            context.close(promise: nil)
        }
    }
}

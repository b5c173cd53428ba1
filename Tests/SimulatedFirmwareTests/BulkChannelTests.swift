import NIOCore
import NIOEmbedded
import Testing
import USBCore
import USBDevice

@testable import SimulatedFirmware

/// The channel over a pair of bulk endpoints.
@Suite("Bulk channel") struct BulkChannelTests {
    /// A guest that takes nothing, then everything at once.
    private final class Endpoint: FunctionContext {
        let speed: Speed? = .super
        let isActive = true
        let firstInterface: UInt8? = 0
        var queued = 0
        var takesAll = false
        var taken = 0

        func write(_ bytes: [UInt8], to endpoint: EndpointKey, endOfMessage: Bool) {
            if takesAll { taken += bytes.count } else { queued += bytes.count }
        }

        func queuedBytes(_ endpoint: EndpointKey) -> Int { queued }
        func read(_ endpoint: EndpointKey) -> [UInt8]? { nil }
        func halt(_ endpoint: EndpointKey) {}
        func discard(_ endpoint: EndpointKey) {}
        func report(_ change: DeviceChange) {}
    }

    /// Writes a last piece as soon as it is told that there is room.
    private final class LateWriter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var isDone = false

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            guard context.channel.isWritable, !isDone else { return }
            isDone = true
            context.writeAndFlush(NIOAny(ByteBuffer(repeating: 2, count: 1000)), promise: nil)
        }
    }

    @Test func whatIsWrittenOnTheNewsOfRoomIsSentToo() throws {
        let loop = EmbeddedEventLoop()
        let endpoint = Endpoint()
        let channel = BulkChannel(usb: endpoint, input: .bulkOut, output: .bulkIn, eventLoop: loop)
        let writer = LateWriter()
        try channel.pipeline.syncOperations.addHandler(writer)
        channel.activate()
        channel.pipeline.writeAndFlush(ByteBuffer(repeating: 1, count: 700_000), promise: nil)
        channel.pipeline.writeAndFlush(ByteBuffer(repeating: 1, count: 700_000), promise: nil)
        #expect(!channel.isWritable)

        // The guest catches up and then waits: no event will ever tell the channel to send again.
        let before = endpoint.queued
        endpoint.queued = 0
        endpoint.takesAll = true
        channel.outputReady()
        #expect(writer.isDone && channel.isWritable)
        #expect(before + endpoint.taken == 1_401_000)
        channel.close(promise: nil)
        loop.run()
    }
}

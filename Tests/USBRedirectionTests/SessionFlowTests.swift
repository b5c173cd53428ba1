import NIOCore
import RedirectionTestKit
import Testing
import USBCore
import USBDevice
import USBRedirection

@Suite("usbredir session: batching, back-pressure, hostile links")
struct SessionFlowTests {
    typealias Harness = SessionHarness

    @Test func allRepliesOfOneReadLeaveInOneWrite() throws {
        let harness = try Harness.connected()
        harness.firmware.sourceFill = 0x5A
        harness.resetWriteCount()
        var bytes = ByteBuffer()
        for id in 0..<100 { harness.guest.write(Harness.bulkIn(UInt64(id), 512), to: &bytes) }
        try harness.channel.writeInbound(bytes)
        #expect(try harness.receive().count == 100)
        #expect(harness.writes == 1)
    }

    @Test func completionsOutsideAReadShareAWrite() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64), Harness.bulkIn(2, 64))
        harness.resetWriteCount()
        harness.firmware.complete(.bulkIn, .success, data: [1])
        harness.firmware.complete(.bulkIn, .success, data: [2])
        #expect(try harness.receive().count == 2)
        #expect(harness.writes == 1)
    }

    @Test func aStreamCutAnywhereReadsTheSame() throws {
        let harness = try Harness.connected()
        let bytes = harness.guest.bytes([Harness.bulkOut(1, Array(0..<100)), Harness.bulkIn(2, 128)])
        var replies: [Message] = []
        for byte in bytes.readableBytesView {
            try harness.send(raw: [byte])
            replies += try harness.receive()
        }
        #expect(
            replies == [
                Harness.bulkReply(1, 0x01, length: 100), Harness.bulkReply(2, 0x81, length: 100, Array(0..<100)),
            ])
    }

    @Test func aVMThatDoesNotReadIsNotReadFrom() throws {
        let harness = try Harness.connected()
        harness.firmware.sourceFill = 1
        harness.setWritable(false)
        #expect(try harness.exchange(Harness.bulkIn(1, 64), Harness.bulkIn(2, 64)) == [])
        #expect(harness.port.pendingCount == 0)
        let reads = ReadCounter()
        try harness.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        harness.channel.read()
        harness.channel.read()
        #expect(reads.count == 0)
        harness.setWritable(true)
        #expect(try harness.receive().map(\.id) == [1, 2])
        #expect(reads.count == 1)
        harness.channel.read()
        #expect(reads.count == 2)
    }

    @Test func repliesAreKeptWhileTheVMDoesNotRead() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64))
        harness.setWritable(false)
        harness.firmware.complete(.bulkIn, .success, data: [1])
        harness.setWritable(true)
        #expect(try harness.receive() == [Harness.bulkReply(1, 0x81, length: 1, [1])])
    }

    @Test func outBytesThatTheDeviceDoesNotTakeAreBounded() throws {
        let harness = try Harness.connected(limits: RedirectionLimits(maximumPendingBytes: 1000))
        harness.firmware.holdsOut = true
        let block = [UInt8](repeating: 1, count: 400)
        #expect(
            try harness.exchange(Harness.bulkOut(1, block), Harness.bulkOut(2, block), Harness.bulkOut(3, block)) == [
                Harness.bulkReply(3, 0x01, .ioError)
            ])
        // What is taken or cancelled makes room again.
        _ = try harness.exchange(Harness.cancel(1))
        #expect(try harness.exchange(Harness.bulkOut(4, block)) == [])
        harness.firmware.complete(.bulkOut, .success, taken: 400)
        #expect(try harness.receive() == [Harness.bulkReply(2, 0x01, length: 400)])
        #expect(try harness.exchange(Harness.bulkOut(5, block)) == [])
    }

    @Test func roomAskedForByParkedInputIsBounded() throws {
        let harness = try Harness.connected(limits: RedirectionLimits(maximumPendingBytes: 1000))
        #expect(
            try harness.exchange(Harness.bulkIn(1, 900), Harness.bulkIn(2, 101)) == [
                Harness.bulkReply(2, 0x81, .ioError)
            ])
    }

    @Test func pendingRequestsAreBoundedInNumberAndStreamsStillStart() throws {
        let harness = try Harness.connected()
        for id in 0..<UInt64(RedirectionSession.maximumRequests) { try harness.send(Harness.bulkIn(id << 40, 1)) }
        #expect(try harness.receive() == [])
        #expect(try harness.exchange(Harness.bulkIn(1, 1)) == [Harness.bulkReply(1, 0x81, .ioError)])
        _ = try harness.exchange(Message(2, .startInterruptReceiving(endpoint: 0x82)))
        #expect(harness.firmware.parkedCount(.keyboardIn) == 1)
        #expect(try harness.exchange(Harness.cancel(5 << 40)) == [Harness.bulkReply(5 << 40, 0x81, .cancelled)])
        #expect(try harness.exchange(Harness.bulkIn(1, 1)) == [])
        #expect(harness.port.pendingCount == RedirectionSession.maximumRequests + 1)
    }

    @Test func aProtocolErrorClosesTheLinkAndNamesItself() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64))
        try harness.send(raw: [200, 0, 0, 0, 0, 0, 0, 0])
        #expect(harness.events.last == .linkClosed(.unknownPacketType(200)))
        #expect(!harness.port.isConnected)
        #expect(!harness.channel.isActive)
        #expect(harness.port.pendingCount == 0)
    }

    @Test func bulkStreamsWithoutTheirCapabilityEndTheLink() throws {
        let harness = try Harness.connected()
        var encoder = PacketEncoder()
        encoder.capabilities = harness.session.capabilities
        var bytes = ByteBuffer()
        encoder.write(Message(1, .allocateBulkStreams(endpoints: 0x2_0000, streams: 4)), to: &bytes)
        try harness.channel.writeInbound(bytes)
        #expect(
            harness.events.last
                == .linkClosed(.capabilityNotInForce(.allocateBulkStreams, needed: .bulkStreams)))
    }

    @Test func aSecondHelloIsIgnored() throws {
        let harness = try Harness.connected()
        let hello = harness.guest.bytes([Message(0, .hello(Hello(version: "again", capabilities: [])))])
        try harness.channel.writeInbound(hello)
        #expect(try harness.exchange(Message(9, .getConfiguration)).first?.id == 9)
    }

    @Test func nothingIsReadAfterAProtocolError() throws {
        let harness = try Harness.connected()
        let seen = harness.firmware.requests.count
        var bytes = ByteBuffer(bytes: [200, 0, 0, 0, 0, 0, 0, 0])
        bytes.writeImmutableBuffer(harness.guest.bytes([Message(1, .getConfiguration)]))
        try harness.channel.writeInbound(bytes)
        #expect(harness.firmware.requests.count == seen)
    }
}

/// Counts the reads that reach the socket.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = Never
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

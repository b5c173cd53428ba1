import NIOCore
import NIOEmbedded
import Testing
import USBCore
import USBDevice
import USBIP
import USBIPCodec
import USBIPTestKit

/// PROTOCOLS section 2: however it ends, the device is free, and nothing of one importer reaches the next.
@Suite("USB/IP session: the end, and back-pressure")
struct SessionEndTests {
    @Test func closeReleasesTheDeviceAtOnce() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.in(1, length: 4), harness.peer.out(2, 1, [1]))
        harness.channel.pipeline.fireChannelInactive()
        #expect(harness.ended == [.importerClosed])
        #expect(!harness.port.isConnected)
        #expect(harness.firmware.parked.isEmpty)
    }

    @Test func resetReleasesTheDevice() throws {
        let harness = try SessionHarness()
        harness.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        #expect(harness.ended == [.importerReset])
        #expect(!harness.port.isConnected)
    }

    /// jiegec keeps the device "used" for ever.
    @Test func writeErrorReleasesTheDevice() throws {
        let harness = try SessionHarness()
        harness.channel.pipeline.fireErrorCaught(IOError(errnoCode: 32, reason: "write"))
        #expect(harness.ended == [.importerReset])
        #expect(!harness.port.isConnected)
    }

    @Test func keepaliveFailureReleasesTheDevice() throws {
        let harness = try SessionHarness()
        harness.channel.pipeline.fireErrorCaught(IOError(errnoCode: 110, reason: "read"))
        guard case .link? = harness.ended.first else {
            Issue.record("\(harness.ended)")
            return
        }
        #expect(!harness.port.isConnected)
    }

    @Test func importerWithoutARequestLosesTheDevice() throws {
        let harness = try SessionHarness(configured: false, firstRequestTimeLimit: .seconds(30))
        harness.channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(harness.session.end == nil)
        harness.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(harness.ended == [.idle])
        #expect(!harness.port.isConnected)
    }

    @Test func importerThatHasAskedMayBeSilent() throws {
        let harness = try SessionHarness(firstRequestTimeLimit: .seconds(30))
        harness.channel.embeddedEventLoop.advanceTime(by: .hours(10))
        #expect(harness.session.end == nil)
        #expect(harness.port.isConnected)
    }

    @Test func releaseAnswersWhatIsPendingAndCloses() throws {
        let harness = try SessionHarness()
        try harness.send(harness.peer.in(1, length: 4), harness.peer.in(2, 2, length: 8))
        harness.session.release("unplugged by the operator")
        #expect(try harness.receive() == [reply(1, .shutdown), reply(2, .shutdown)])
        #expect(!harness.channel.isActive)
        #expect(harness.ended == [.released("unplugged by the operator")])
    }

    @Test func deviceThatWantsToBeEnumeratedAnewIsUnplugged() throws {
        let harness = try SessionHarness()
        harness.port.requestReconnect()
        #expect(harness.ended == [.deviceChanged])
        #expect(!harness.channel.isActive)
        #expect(!harness.port.isConnected)
    }

    @Test func deviceTakenByItsOwnerEndsTheSession() throws {
        let harness = try SessionHarness()
        try harness.send(harness.peer.in(1, length: 4))
        harness.port.disconnect()
        #expect(try harness.receive() == [reply(1, .shutdown)])
        #expect(harness.ended == [.deviceTaken])
        #expect(!harness.channel.isActive)
    }

    @Test func busyDeviceIsNotTaken() throws {
        let harness = try SessionHarness()
        let second = USBIPSession(
            port: harness.port, deviceID: 1, speed: .high, logger: quietLogger
        ) { _ in Issue.record("a session that never was has ended") }
        #expect(throws: DevicePortError.busy) { try second.connectDevice() }
        #expect(harness.port.isConnected)
    }

    /// usbipdcpp: the next importer receives an answer to the previous one's URB.
    @Test func nothingOfOneImporterReachesTheNext() throws {
        let firmware = ScriptedFirmware()
        let port = DevicePort(firmware: firmware)
        let first = try SessionHarness(firmware: firmware, port: port)
        for number in 1...16 as ClosedRange<UInt32> {
            try first.send(first.peer.in(number, length: 4), first.peer.in(100 + number, 2, length: 8))
        }
        let stale = firmware.parked
        #expect(stale.count == 32)
        first.channel.pipeline.fireChannelInactive()
        let second = try SessionHarness(configured: false, firmware: firmware, port: port)
        // A device that is late with the first importer's data.
        for transfer in stale {
            port.complete(
                TransferCompletion(id: transfer.id, endpoint: transfer.endpoint, status: .success, data: [6, 6]))
        }
        #expect(try second.receive().isEmpty)
        _ = try second.exchange(second.peer.setConfiguration(1, 1))
        #expect(try second.exchange(second.peer.in(2, length: 4)).isEmpty)
        firmware.complete(.scriptedBulkIn, data: [1])
        #expect(try second.receive() == [reply(2, .success, [1])])
    }

    /// A device that reacts to being taken out by wanting back in must not run in circles.
    @Test func endComesOnce() throws {
        let harness = try SessionHarness()
        harness.firmware.onWithdraw = { [port = harness.port] _ in port.requestReconnect() }
        try harness.send(harness.peer.in(1, length: 4))
        harness.session.release("first")
        harness.session.release("second")
        harness.channel.pipeline.fireChannelInactive()
        #expect(harness.ended == [.released("first")])
    }

    // MARK: Back-pressure

    /// Slow client: nothing more is taken from it, nothing is dropped.
    @Test func importerThatDoesNotReadIsNotRead() throws {
        let harness = try SessionHarness()
        harness.firmware.sourceFill = 1
        harness.setWritable(false)
        try harness.send(harness.peer.in(1, length: 4), harness.peer.in(2, length: 4))
        #expect(try harness.receive().isEmpty)
        #expect(harness.session.unreadBytes == 96)
        harness.setWritable(true)
        #expect(try harness.receive().count == 2)
        #expect(harness.session.unreadBytes == 0)
    }

    @Test func completionsWaitForAnImporterThatDoesNotReadAndNoneIsLost() throws {
        let harness = try SessionHarness()
        for number in 1...64 as ClosedRange<UInt32> { try harness.send(harness.peer.in(number, length: 4)) }
        harness.setWritable(false)
        for _ in 0..<64 { harness.firmware.complete(.scriptedBulkIn, data: [1, 2, 3, 4]) }
        harness.setWritable(true)
        #expect(try harness.receive().count == 64)
    }

    @Test func readsAreHeldUntilTheImporterReads() throws {
        let harness = try SessionHarness()
        let reads = ReadCounter()
        try harness.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        harness.setWritable(false)
        harness.channel.read()
        #expect(reads.count == 0)
        harness.setWritable(true)
        #expect(reads.count == 1)
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = Never
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

import NIOCore
import Testing
import USBCore
import USBRedirection

/// A device does not leave while its guest is asking it things at endpoint 0.
@Suite struct SessionQuietTests {
    private static func status(_ id: UInt64) -> Message {
        Message(
            id,
            .controlPacket(
                ControlPacket(endpoint: 0x80, request: 0, requestType: 0x80, value: 0, index: 0, length: 2)))
    }

    @Test func aDeviceInUseLeavesAfterAShortPauseInTheQuestions() throws {
        let harness = try SessionHarness.connected()
        #expect(harness.session.timeUntilQuiet == .zero)
        _ = try harness.exchange(Self.status(1))
        #expect(harness.session.timeUntilQuiet == .milliseconds(50))
        harness.port.requestReconnect()
        harness.advance(.milliseconds(30))
        #expect(try harness.exchange(Self.status(2)).map(\.packet.type) == [.controlPacket])
        harness.advance(.milliseconds(49))
        #expect(try harness.receive() == [])
        harness.advance(.milliseconds(1))
        #expect(try harness.receive().map(\.packet.type) == [.deviceDisconnect])
    }

    @Test(arguments: [false, true]) func aGuestThatProbesMayPauseForLonger(isConfigured: Bool) throws {
        let harness = try SessionHarness.connected(configured: false)
        _ = try harness.exchange(Message(0, .reset))
        if isConfigured { _ = try harness.exchange(Message(1, .setConfiguration(1)), Self.status(2)) }
        harness.port.requestReconnect()
        harness.advance(.milliseconds(499))
        #expect(try harness.receive() == [])
        harness.advance(.milliseconds(1))
        #expect(try harness.receive().map(\.packet.type) == [.deviceDisconnect])
    }

    @Test func aGuestThatNeverStopsAskingDoesNotKeepTheDevice() throws {
        let harness = try SessionHarness.connected()
        _ = try harness.exchange(Self.status(0))
        harness.port.requestReconnect()
        for id in 1..<50 {
            harness.advance(.milliseconds(40))
            #expect(try harness.exchange(Self.status(UInt64(id))).map(\.packet.type) == [.controlPacket])
        }
        harness.advance(.milliseconds(40))
        #expect(try harness.receive().map(\.packet.type) == [.deviceDisconnect])
        #expect(try harness.exchange(Message(0, .deviceDisconnectAck)).last?.packet.type == .deviceConnect)
    }

    @Test func dataIsNoQuestion() throws {
        let harness = try SessionHarness.connected()
        _ = try harness.exchange(SessionHarness.bulkOut(1, [1, 2, 3]))
        #expect(harness.session.timeUntilQuiet == .zero)
    }

    @Test func anUnplugDoesNotWaitForTheReconnect() throws {
        let harness = try SessionHarness.connected()
        _ = try harness.exchange(Self.status(1))
        harness.port.requestReconnect()
        harness.session.disconnectDevice()
        #expect(try harness.receive().map(\.packet.type) == [.deviceDisconnect])
        #expect(try harness.exchange(Message(0, .deviceDisconnectAck)) == [])
        harness.advance(.seconds(10))
        #expect(try harness.receive() == [])
        #expect(harness.session.timeUntilQuiet == .zero)
    }

    @Test func aLinkThatEndsMeanwhileEndsTheWait() throws {
        let harness = try SessionHarness.connected()
        _ = try harness.exchange(Self.status(1))
        harness.port.requestReconnect()
        _ = try harness.channel.finish()
        harness.advance(.seconds(10))
        #expect(harness.events.last == .linkClosed(nil))
        #expect(harness.session.state == .closed)
    }
}

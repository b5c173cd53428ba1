import NIOCore
import RedirectionTestKit
import Testing
import USBCore
import USBDevice
import USBRedirection

@Suite("usbredir session: hello, plug and unplug")
struct SessionConnectTests {
    static let withoutAcknowledgement = Capabilities.offeredByQEMU.subtracting(.deviceDisconnectAck)

    @Test func ourHelloGoesOutAtOnceAndOffersCapabilities1To6() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.receive() == [Message(0, .hello(Hello(version: "2Virt", capabilities: .offeredByHost)))])
        #expect(Capabilities.offeredByHost.rawValue == 0b0111_1110)
    }

    @Test func behindControllersThatCancelAfterAShortPacketQEMUIsNotToldToPipeline() throws {
        let harness = try SessionHarness(speed: .full, pipelinesBulkIn: false)
        #expect(
            try harness.receive().first?.packet
                == .hello(
                    Hello(
                        version: "2Virt",
                        capabilities: Capabilities.offeredByHost.subtracting(.bulkLength32Bit))))
        try harness.sayHello()
        #expect(harness.session.capabilities?.contains(.bulkLength32Bit) == false)
        #expect(harness.session.state == .connected)
    }

    @Test func aPausedVMSaysHelloLateAndIsWaitedFor() throws {
        let harness = try SessionHarness()
        harness.advance(.hours(24))
        #expect(harness.session.state == .awaitingHello)
        #expect(!harness.firmware.isConnected)
        try harness.sayHello()
        #expect(harness.session.state == .connected)
    }

    @Test func endpointAndInterfaceInfoComeBeforeDeviceConnect() throws {
        let harness = try SessionHarness()
        _ = try harness.receive()
        try harness.sayHello()
        let announced = try harness.receive()
        #expect(announced.map(\.packet.type) == [.endpointInfo, .interfaceInfo, .deviceConnect])
        #expect(
            announced.last?.packet
                == .deviceConnect(
                    DeviceConnect(
                        speed: 2, deviceClass: 0, deviceSubClass: 0, deviceProtocol: 0, idVendor: 0x1209, idProduct: 1,
                        deviceRelease: 0x0123)))
        #expect(
            harness.events == [
                .linkOpened,
                .helloReceived(
                    version: "guest peer",
                    capabilities: .offeredByHost), .connected(.high),
            ])
    }

    @Test func endpointInfoHasControlBytesPerIntervalAndFrameCounts() throws {
        let harness = try SessionHarness()
        _ = try harness.receive()
        try harness.sayHello()
        guard case .endpointInfo(let info)? = try harness.receive().first?.packet else {
            Issue.record("no ep_info")
            return
        }
        #expect(info[0] == .init(type: 0, maxPacketSize: 64))
        #expect(info[16] == .init(type: 0, maxPacketSize: 64))
        #expect(info[17] == .init(type: 2, maxPacketSize: 512))
        // bInterval 7 at high speed is 64 microframes, not 7.
        #expect(info[18] == .init(type: 3, interval: 64, interface: 1, maxPacketSize: 8))
        #expect(info.endpoints.filter { $0 == .unused }.count == 32 - 6)
    }

    @Test func superSpeedHasControlPacketsOf512() throws {
        let harness = try SessionHarness(speed: .super)
        _ = try harness.receive()
        try harness.sayHello()
        guard case .endpointInfo(let info)? = try harness.receive().first?.packet else {
            Issue.record("no ep_info")
            return
        }
        #expect(info[16].maxPacketSize == 512)
        #expect(info[17].maxPacketSize == 1024)
    }

    @Test(arguments: [Capabilities.offeredByQEMU, [.filter], []])
    func peersWithFewerCapabilitiesGetTheOlderForms(_ offered: Capabilities) throws {
        let harness = try SessionHarness.connected(offering: offered)
        // The guest peer decodes strictly by what is negotiated, so that a wrong form fails here.
        let replies = try harness.exchange(SessionHarness.bulkOut(7, [1, 2]), SessionHarness.bulkIn(8, 64))
        #expect(
            replies == [
                SessionHarness.bulkReply(7, 0x01, length: 2), SessionHarness.bulkReply(8, 0x81, length: 2, [1, 2]),
            ])
    }

    @Test func aFilterMayComeBeforeTheDeviceAndIsReported() throws {
        let harness = try SessionHarness()
        try harness.sayHello()
        _ = try harness.receive()
        try harness.send(Message(0, .filterFilter("0x03,-1,-1,-1,0")))
        #expect(harness.events.last == .filterReceived(rules: "0x03,-1,-1,-1,0"))
    }

    @Test func filterRejectIsReportedOnceAndTheDeviceIsNotOfferedAgain() throws {
        let harness = try SessionHarness.connected(configured: false)
        #expect(try harness.exchange(Message(0, .filterReject)) == [])
        harness.advance(.seconds(60))
        #expect(try harness.exchange(Message(0, .filterReject)) == [])
        #expect(harness.events.filter { $0 == .rejected }.count == 1)
        #expect(!harness.firmware.isConnected)
        #expect(harness.session.state == .detached)
    }

    @Test func aRejectedDeviceComesBackWhenTheOperatorAsks() throws {
        let harness = try SessionHarness.connected(configured: false)
        _ = try harness.exchange(Message(0, .filterReject))
        harness.session.reconnectDevice()
        #expect(try harness.receive().map(\.packet.type) == [.endpointInfo, .interfaceInfo, .deviceConnect])
    }

    @Test func unplugCancelsAllThatIsPendingThenDisconnects() throws {
        let harness = try SessionHarness.connected()
        #expect(try harness.exchange(SessionHarness.bulkIn(11, 64), SessionHarness.bulkIn(12, 64)) == [])
        harness.session.disconnectDevice()
        #expect(
            try harness.receive() == [
                SessionHarness.bulkReply(11, 0x81, .cancelled), SessionHarness.bulkReply(12, 0x81, .cancelled),
                Message(0, .deviceDisconnect),
            ])
        #expect(!harness.firmware.isConnected)
        #expect(harness.events.last == .disconnected(.unplugged))
        #expect(harness.channel.isActive)
    }

    @Test func requestsForADeviceThatHasLeftAreDropped() throws {
        let harness = try SessionHarness.connected()
        harness.session.disconnectDevice()
        _ = try harness.receive()
        #expect(
            try harness.exchange(
                SessionHarness.bulkIn(1, 8), SessionHarness.cancel(1), Message(2, .reset), Message(3, .getConfiguration)
            )
                == [])
        #expect(harness.channel.isActive)
    }

    @Test func aPeerThatAcknowledgesIsWaitedForBeforeTheDeviceComesBack() throws {
        let harness = try SessionHarness.connected()
        harness.session.reconnectDevice()
        #expect(try harness.receive().map(\.packet.type) == [.deviceDisconnect])
        harness.advance(.hours(1))
        #expect(try harness.exchange(SessionHarness.bulkIn(1, 8)) == [])
        #expect(
            try harness.exchange(Message(0, .deviceDisconnectAck)).map(\.packet.type) == [
                .endpointInfo, .interfaceInfo, .deviceConnect,
            ])
        #expect(harness.events.suffix(2) == [.disconnected(.reconnecting), .connected(.high)])
    }

    @Test func aPeerThatDoesNotAcknowledgeGetsTheDeviceBackAfterAPause() throws {
        let harness = try SessionHarness.connected(offering: Self.withoutAcknowledgement)
        harness.session.reconnectDevice()
        #expect(try harness.receive().map(\.packet.type) == [.deviceDisconnect])
        harness.advance(.milliseconds(49))
        #expect(try harness.receive() == [])
        harness.advance(.milliseconds(1))
        #expect(try harness.receive().map(\.packet.type) == [.endpointInfo, .interfaceInfo, .deviceConnect])
    }

    @Test func aDeviceThatChangesItselfIsTakenOutAndInOnTheSameLink() throws {
        let harness = try SessionHarness.connected()
        _ = try harness.exchange(SessionHarness.bulkIn(5, 64))
        harness.port.requestReconnect()
        #expect(
            try harness.receive() == [
                SessionHarness.bulkReply(5, 0x81, .cancelled), Message(0, .deviceDisconnect),
            ])
        #expect(try harness.exchange(Message(0, .deviceDisconnectAck)).last?.packet.type == .deviceConnect)
    }

    @Test func unplugDuringAReconnectKeepsTheDeviceOut() throws {
        for offered in [Capabilities.offeredByQEMU, Self.withoutAcknowledgement] {
            let harness = try SessionHarness.connected(offering: offered)
            harness.session.reconnectDevice()
            harness.session.disconnectDevice()
            _ = try harness.receive()
            if offered.contains(.deviceDisconnectAck) { try harness.send(Message(0, .deviceDisconnectAck)) }
            harness.advance(.seconds(10))
            #expect(try harness.receive() == [])
            #expect(harness.session.state == .detached)
        }
    }

    @Test func unplugBeforeHelloAnnouncesNothing() throws {
        let harness = try SessionHarness()
        _ = try harness.receive()
        harness.session.disconnectDevice()
        try harness.sayHello()
        #expect(try harness.receive() == [])
        harness.session.reconnectDevice()
        #expect(try harness.receive().last?.packet.type == .deviceConnect)
    }

    @Test func linkLossUnplugsTheDeviceForTheEngineToKeep() throws {
        let harness = try SessionHarness.connected()
        _ = try harness.exchange(SessionHarness.bulkIn(1, 64))
        _ = try harness.channel.finish()
        #expect(!harness.port.isConnected)
        #expect(harness.port.pendingCount == 0)
        #expect(harness.events.last == .linkClosed(nil))
        #expect(harness.events.filter { if case .linkClosed = $0 { true } else { false } }.count == 1)
    }

    @Test func aDeviceThatIsPluggedElsewhereEndsTheLinkWithItsReason() throws {
        let harness = try SessionHarness.connected()
        let second = RedirectionSessionProbe(port: harness.port)
        try second.sayHello()
        #expect(second.events.last == .linkClosed(.device(.busy)))
        #expect(harness.port.isConnected, "the link that has the device keeps it")
    }

    @Test func aSpeedTheDeviceHasNotEndsTheLinkWithItsReason() throws {
        let harness = try SessionHarness(speed: .super, speeds: [.full, .high])
        try harness.sayHello()
        #expect(
            harness.events.last == .linkClosed(.device(.unsupportedSpeed(.super, supported: [.full, .high]))))
        #expect(!harness.channel.isActive)
    }
}

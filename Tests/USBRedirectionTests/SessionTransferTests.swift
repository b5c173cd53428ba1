import NIOCore
import RedirectionTestKit
import Testing
import USBCore
import USBDevice
import USBRedirection

@Suite("usbredir session: requests and their one reply")
struct SessionTransferTests {
    typealias Harness = SessionHarness

    // MARK: Configuration

    @Test func setConfigurationIsAnsweredWithInfosThenStatusUnderTheSameID() throws {
        let harness = try Harness.connected(configured: false)
        let replies = try harness.exchange(Message(77, .setConfiguration(1)))
        #expect(replies.map(\.packet.type) == [.endpointInfo, .interfaceInfo, .configurationStatus])
        #expect(replies.last == Message(77, .configurationStatus(.success, configuration: 1)))
        #expect(harness.firmware.requests.last?.bytes == [0, 9, 1, 0, 0, 0, 0, 0])
    }

    @Test func aRefusedConfigurationIsAnsweredWithStatusOnly() throws {
        let harness = try Harness.connected()
        #expect(
            try harness.exchange(Message(5, .setConfiguration(9))) == [
                Message(5, .configurationStatus(.stall, configuration: 1))
            ])
    }

    @Test func getConfigurationIsZeroWhileUnconfigured() throws {
        let harness = try Harness.connected(configured: false)
        #expect(
            try harness.exchange(Message(1, .getConfiguration)) == [
                Message(1, .configurationStatus(.success, configuration: 0))
            ])
        _ = try harness.exchange(Message(2, .setConfiguration(1)))
        #expect(
            try harness.exchange(Message(3, .getConfiguration)) == [
                Message(3, .configurationStatus(.success, configuration: 1))
            ])
    }

    @Test func configurationZeroLeavesNoInterfaces() throws {
        let harness = try Harness.connected()
        let replies = try harness.exchange(Message(5, .setConfiguration(0)))
        #expect(replies.dropFirst().first?.packet == .interfaceInfo(InterfaceInfo(interfaces: [])))
        #expect(replies.last == Message(5, .configurationStatus(.success, configuration: 0)))
    }

    @Test func aNewConfigurationCancelsDataInFlightBeforeItsStatus() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64), Message(2, .startInterruptReceiving(endpoint: 0x82)))
        let replies = try harness.exchange(Message(3, .setConfiguration(1)))
        #expect(replies.first == Harness.bulkReply(1, 0x81, .cancelled))
        #expect(replies.last == Message(3, .configurationStatus(.success, configuration: 1)))
        #expect(replies.count == 4)
        #expect(harness.firmware.parkedCount(.keyboardIn) == 0)
    }

    @Test func setAltSettingIsAnsweredWithInfosThenStatusAndCancelsItsInterfaceOnly() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64), Message(2, .startInterruptReceiving(endpoint: 0x82)))
        let replies = try harness.exchange(Message(3, .setAlternateSetting(interface: 1, alternate: 1)))
        #expect(replies.map(\.packet.type) == [.endpointInfo, .interfaceInfo, .alternateSettingStatus])
        #expect(replies.last == Message(3, .alternateSettingStatus(.success, interface: 1, alternate: 1)))
        #expect(harness.firmware.parkedCount(.bulkIn) == 1)
        #expect(harness.firmware.parkedCount(.keyboardIn) == 0)
        #expect(
            try harness.exchange(Message(4, .getAlternateSetting(interface: 1))) == [
                Message(4, .alternateSettingStatus(.success, interface: 1, alternate: 1))
            ])
        #expect(
            try harness.exchange(Message(5, .setAlternateSetting(interface: 1, alternate: 9))).last
                == Message(5, .alternateSettingStatus(.stall, interface: 1, alternate: 9)))
    }

    // MARK: Control

    @Test func controlInGetsItsDataAndEchoesTheRest() throws {
        let harness = try Harness.connected()
        let asked = ControlPacket(
            endpoint: 0x80, request: 6, requestType: 0x80, value: 0x0100, index: 0, length: 64)
        var expected = asked
        expected.data = harness.firmware.enumeration(at: .high).device.bytes
        expected.length = 18
        #expect(try harness.exchange(Message(9, .controlPacket(asked))) == [Message(9, .controlPacket(expected))])
    }

    @Test func controlOutIsAnsweredWithTheBytesTakenAndNoData() throws {
        let harness = try Harness.connected()
        var packet = ControlPacket(
            endpoint: 0, request: 9, requestType: 0x21, value: 0x0200, index: 1, length: 2, data: [1, 2])
        let replies = try harness.exchange(Message(9, .controlPacket(packet)))
        packet.data = []
        #expect(replies == [Message(9, .controlPacket(packet))])
    }

    @Test func anUnknownRequestStalls() throws {
        let harness = try Harness.connected()
        let packet = ControlPacket(endpoint: 0x80, request: 0x55, requestType: 0xC0, value: 0, index: 0, length: 8)
        var expected = packet
        expected.status = .stall
        expected.length = 0
        #expect(try harness.exchange(Message(9, .controlPacket(packet))) == [Message(9, .controlPacket(expected))])
    }

    @Test func controlOnAnotherEndpointOrAgainstItsDirectionIsInvalid() throws {
        let harness = try Harness.connected()
        let seen = harness.firmware.requests.count
        for (endpoint, type) in [(0x81, 0x80), (0x80, 0x21)] as [(UInt8, UInt8)] {
            let packet = ControlPacket(endpoint: endpoint, request: 6, requestType: type, value: 0, index: 0, length: 8)
            var expected = packet
            expected.status = .invalid
            expected.length = 0
            #expect(try harness.exchange(Message(9, .controlPacket(packet))) == [Message(9, .controlPacket(expected))])
        }
        #expect(harness.firmware.requests.count == seen)
    }

    // MARK: Bulk and interrupt OUT

    @Test func bulkInParksUntilThereIsDataAndKeepsItsOrder() throws {
        let harness = try Harness.connected()
        #expect(try harness.exchange(Harness.bulkIn(1, 64), Harness.bulkIn(2, 64)) == [])
        #expect(
            try harness.exchange(Harness.bulkOut(3, [1]), Harness.bulkOut(4, [])) == [
                Harness.bulkReply(3, 0x01, length: 1), Harness.bulkReply(1, 0x81, length: 1, [1]),
                Harness.bulkReply(4, 0x01), Harness.bulkReply(2, 0x81),
            ])
    }

    @Test func bulkTransfersMayBeLongerThan64KiB() throws {
        let harness = try Harness.connected()
        let data = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let replies = try harness.exchange(Harness.bulkOut(1, data), Harness.bulkIn(2, 262_144))
        #expect(
            replies == [
                Harness.bulkReply(1, 0x01, length: 200_000), Harness.bulkReply(2, 0x81, length: 200_000, data),
            ])
    }

    @Test func aReplyIsNeverLongerThanAsked() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 4))
        harness.firmware.complete(.bulkIn, .success, data: [1, 2, 3, 4, 5, 6])
        #expect(try harness.receive() == [Harness.bulkReply(1, 0x81, .babble, length: 4, [1, 2, 3, 4])])
    }

    @Test func bulkOnTheWrongEndpointOrWithAStreamIsInvalid() throws {
        let harness = try Harness.connected()
        for endpoint in [0x82, 0x85, 0x80, 0xF1] as [UInt8] {
            #expect(
                try harness.exchange(Message(1, .bulkPacket(BulkPacket(endpoint: endpoint, length: 8)))) == [
                    Harness.bulkReply(1, endpoint, .invalid)
                ])
        }
        #expect(try harness.exchange(Harness.bulkIn(1, 8, stream: 1)) == [Harness.bulkReply(1, 0x81, .invalid)])
    }

    @Test func statusBytesFollowTheProtocol() throws {
        let harness = try Harness.connected()
        let pairs: [(TransferStatus, PacketStatus)] = [
            (.stall, .stall), (.error, .ioError), (.timeout, .timeout), (.babble, .babble), (.cancelled, .cancelled),
            (.noDevice, .cancelled), (.shortPacket, .success),
        ]
        for (status, expected) in pairs {
            _ = try harness.exchange(Harness.bulkIn(1, 8))
            harness.firmware.complete(.bulkIn, status)
            #expect(try harness.receive() == [Harness.bulkReply(1, 0x81, expected)])
        }
    }

    @Test func interruptOutIsAnsweredAndInterruptInByPacketIsNot() throws {
        let harness = try Harness.connected()
        #expect(
            try harness.exchange(Message(4, .interruptPacket(DataPacket(endpoint: 2, length: 1, data: [7])))) == [
                Message(4, .interruptPacket(DataPacket(endpoint: 2, length: 1)))
            ])
        #expect(harness.firmware.interruptOut == [[7]])
        #expect(
            try harness.exchange(Message(5, .interruptPacket(DataPacket(endpoint: 0x82, length: 8)))) == [
                Message(5, .interruptPacket(DataPacket(endpoint: 0x82, status: .invalid, length: 0)))
            ])
    }

    @Test func aPendingIDUsedTwiceIsInvalidAndTheFirstStands() throws {
        let harness = try Harness.connected()
        #expect(
            try harness.exchange(Harness.bulkIn(1, 8), Harness.bulkIn(1, 8)) == [
                Harness.bulkReply(1, 0x81, .invalid)
            ])
        #expect(try harness.exchange(Harness.cancel(1)) == [Harness.bulkReply(1, 0x81, .cancelled)])
    }

    @Test func anyIDIsTheGuestsAndReachesNoTransferOfOurs() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Message(2, .startInterruptReceiving(endpoint: 0x82)))
        for id in [0, 1, 4096, UInt64.max, UInt64.max - 31] as [UInt64] {
            #expect(try harness.exchange(Harness.cancel(id)) == [])
            #expect(try harness.exchange(Harness.bulkIn(id, 8)) == [])
            #expect(try harness.exchange(Harness.bulkIn(id, 8)) == [Harness.bulkReply(id, 0x81, .invalid)])
            #expect(try harness.exchange(Harness.cancel(id)) == [Harness.bulkReply(id, 0x81, .cancelled)])
        }
        #expect(harness.firmware.parkedCount(.keyboardIn) == 1)
    }

    // MARK: Cancel and reset

    @Test func cancelIsAnsweredOnceWithTheIDAndTypeOfItsTarget() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64))
        #expect(
            try harness.exchange(Harness.cancel(1), Harness.cancel(1)) == [Harness.bulkReply(1, 0x81, .cancelled)])
        #expect(harness.firmware.parkedCount(.bulkIn) == 0)
        // Data that comes now goes to the next transfer, not to a ghost.
        #expect(
            try harness.exchange(Harness.bulkOut(2, [5]), Harness.bulkIn(1, 64)) == [
                Harness.bulkReply(2, 0x01, length: 1), Harness.bulkReply(1, 0x81, length: 1, [5]),
            ])
    }

    @Test func cancelThatLosesGetsTheRealCompletionOnly() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64))
        harness.firmware.complete(.bulkIn, .success, data: [3])
        try harness.send(Harness.cancel(1))
        #expect(try harness.receive() == [Harness.bulkReply(1, 0x81, length: 1, [3])])
    }

    @Test func cancelOfAnUnknownIDIsNotAnswered() throws {
        let harness = try Harness.connected()
        #expect(try harness.exchange(Harness.cancel(4711)) == [])
    }

    @Test func resetIsNotAnsweredEndsWhatIsPendingAndMayBeRepeated() throws {
        let harness = try Harness.connected()
        _ = try harness.exchange(Harness.bulkIn(1, 64), Message(2, .startInterruptReceiving(endpoint: 0x82)))
        let before = harness.firmware.resets
        #expect(
            try harness.exchange(Message(0, .reset), Message(0, .reset), Message(0, .reset)) == [
                Harness.bulkReply(1, 0x81, .cancelled)
            ])
        #expect(harness.firmware.resets == before + 3)
        #expect(harness.session.state == .connected)
        #expect(
            try harness.exchange(Message(3, .getConfiguration)) == [
                Message(3, .configurationStatus(.success, configuration: 0))
            ])
    }

    // MARK: Streams that we refuse

    @Test func isochronousStreamsAreRefusedCleanly() throws {
        let harness = try Harness.connected()
        #expect(
            try harness.exchange(
                Message(1, .startIsochronousStream(endpoint: 0x83, packetsPerURB: 8, urbs: 4)),
                Message(2, .isochronousPacket(DataPacket(endpoint: 3, length: 1, data: [0]))),
                Message(3, .stopIsochronousStream(endpoint: 0x83))) == [
                    Message(1, .isochronousStreamStatus(.stall, endpoint: 0x83)),
                    Message(3, .isochronousStreamStatus(.success, endpoint: 0x83)),
                ])
    }
}

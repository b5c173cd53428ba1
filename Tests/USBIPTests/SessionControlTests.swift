import NIOCore
import Testing
import USBCore
import USBIP
import USBIPCodec
import USBIPTestKit

/// PROTOCOLS section 2: endpoint 0.
@Suite("USB/IP session: control transfers")
struct SessionControlTests {
    private func setup(
        _ direction: Direction, _ kind: RequestType.Kind, _ request: UInt8, length: UInt16
    ) -> SetupPacket {
        SetupPacket(requestType: RequestType(direction, kind, .device), request: request, length: length)
    }

    @Test func descriptorIsAnsweredOnceWithItsBytes() throws {
        let harness = try SessionHarness(configured: false)
        let replies = try harness.exchange(harness.peer.getDescriptor(1, 1, length: 18))
        #expect(replies == [reply(1, .success, harness.firmware.enumeration(at: .high).device.bytes)])
        #expect(harness.writes == 1)
    }

    /// Linux asks for 64 bytes first.
    @Test func answerIsAsLongAsTheDescriptorWhenMoreIsAsked() throws {
        let harness = try SessionHarness(configured: false)
        guard case .submit(let answer, _, _)? = try harness.exchange(harness.peer.getDescriptor(1, 1, length: 64)).first
        else {
            Issue.record("no answer")
            return
        }
        #expect(answer.actualLength == 18)
    }

    /// windowsair/wireless-esp8266-dap#49: a BOS read with wLength 5 answered in full kills the session.
    @Test func answerIsCutToWLength() throws {
        let harness = try SessionHarness(configured: false, speed: .super)
        guard
            case .submit(let answer, let data, _)? = try harness.exchange(
                harness.peer.getDescriptor(1, DescriptorType.binaryObjectStore, length: 5)
            ).first
        else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == .success)
        #expect(data.readableBytes == 5)
    }

    /// lcgamboa sends wLength bytes of whatever follows its descriptor: here there is never more than the device gave, and
    /// never more than the URB has room for.
    @Test(arguments: [(4095, 10, 10), (4, 300, 4), (300, 300, 300)])
    func answerIsNeverLongerThanDataURBOrWLength(asked: Int, has: Int, expected: Int) throws {
        let harness = try SessionHarness(configured: false)
        harness.firmware.controlAnswer = { _, _ in [UInt8](repeating: 0x5A, count: has) }
        let request = setup(.in, .vendor, 1, length: UInt16(asked))
        #expect(
            try harness.exchange(harness.peer.control(1, request))
                == [reply(1, .success, [UInt8](repeating: 0x5A, count: expected))])
    }

    @Test func answerIsCutToAURBShorterThanWLength() throws {
        let harness = try SessionHarness(configured: false)
        harness.firmware.controlAnswer = { _, _ in [1, 2, 3, 4, 5, 6, 7, 8] }
        var command = SubmitCommand.control(
            1, deviceID: SessionHarness.deviceID, setup(.in, .vendor, 1, length: 8))
        command.length = 3
        #expect(try harness.exchange(.submit(command)) == [reply(1, .success, [1, 2, 3])])
    }

    @Test func outDataReachesTheDeviceAndIsCounted() throws {
        let harness = try SessionHarness(configured: false)
        harness.firmware.controlAnswer = { _, data in data == [1, 2, 3] ? [] : nil }
        let request = setup(.out, .vendor, 1, length: 3)
        #expect(try harness.exchange(harness.peer.control(1, request, data: [1, 2, 3])) == [taken(1, .success, 3)])
    }

    @Test func outDataOfAnotherLengthThanWLengthStalls() throws {
        let harness = try SessionHarness(configured: false)
        harness.firmware.controlAnswer = { _, _ in [] }
        var command = SubmitCommand.control(1, deviceID: SessionHarness.deviceID, setup(.out, .vendor, 1, length: 3))
        command.length = 2
        #expect(try harness.exchange(.submit(command, data: [1, 2])) == [taken(1, .stall, 0)])
        #expect(harness.firmware.requests.isEmpty)
    }

    @Test(arguments: [Direction.in, .out])
    func directionThatDisagreesWithTheDataStageEndsTheConnection(wire: Direction) throws {
        let harness = try SessionHarness(configured: false)
        let request = setup(wire == .in ? .out : .in, .vendor, 1, length: 4)
        let command = SubmitCommand(
            sequenceNumber: 1, deviceID: SessionHarness.deviceID, direction: wire, endpoint: 0, length: 0,
            setup: request)
        #expect(
            try harness.refusal(of: [URBRequest.submit(command)].bytes)
                == .controlDirection(requestType: request.requestType.rawValue))
    }

    /// Without a data stage Linux says "out" whatever bit 7 is, and other hosts say what bit 7 is.
    @Test(arguments: [Direction.in, .out], [Direction.in, .out])
    func directionIsFreeWithoutADataStage(wire: Direction, bit7: Direction) throws {
        let harness = try SessionHarness(configured: false)
        harness.firmware.controlAnswer = { _, _ in [] }
        let command = SubmitCommand(
            sequenceNumber: 1, deviceID: SessionHarness.deviceID, direction: wire, endpoint: 0,
            setup: setup(bit7, .vendor, 1, length: 0))
        #expect(try harness.exchange(.submit(command)) == [reply(1)])
    }

    @Test func setAddressIsAnsweredHere() throws {
        let harness = try SessionHarness(configured: false)
        let request = SetupPacket(
            requestType: RequestType(.out, .standard, .device), request: StandardRequest.setAddress.rawValue, value: 5)
        #expect(try harness.exchange(harness.peer.control(1, request)) == [reply(1)])
        #expect(harness.firmware.requests.isEmpty)
    }

    /// jiegec panics on these two.
    @Test func getConfigurationAndGetInterfaceAreAnswered() throws {
        let harness = try SessionHarness()
        let configuration = SetupPacket(
            requestType: RequestType(.in, .standard, .device), request: StandardRequest.getConfiguration.rawValue,
            length: 1)
        let interface = SetupPacket(
            requestType: RequestType(.in, .standard, .interface), request: StandardRequest.getInterface.rawValue,
            index: 1, length: 1)
        #expect(
            try harness.exchange(harness.peer.control(1, configuration), harness.peer.control(2, interface))
                == [reply(1, .success, [1]), reply(2, .success, [1])])
    }

    @Test func stallOfEndpoint0ClearsItselfAtTheNextSetup() throws {
        let harness = try SessionHarness(configured: false)
        #expect(
            try harness.exchange(
                harness.peer.control(1, setup(.in, .vendor, 9, length: 4)),
                harness.peer.getDescriptor(2, 1, length: 2)) == [reply(1, .stall), reply(2, .success, [18, 1])])
    }

    /// usbipdcpp answers -32 here.
    @Test func clearHaltOfAnIdleEndpointSucceeds() throws {
        let harness = try SessionHarness()
        let clear = SetupPacket(
            requestType: RequestType(.out, .standard, .endpoint), request: StandardRequest.clearFeature.rawValue,
            index: 0x81)
        #expect(try harness.exchange(harness.peer.control(1, clear)) == [reply(1)])
    }

    @Test func clearHaltLetsAnEndpointGoOn() throws {
        let harness = try SessionHarness()
        harness.firmware.halt(.scriptedBulkIn)
        #expect(try harness.exchange(harness.peer.in(1, length: 4)) == [reply(1, .stall)])
        #expect(try harness.exchange(harness.peer.in(2, length: 4)) == [reply(2, .stall)])
        let clear = SetupPacket(
            requestType: RequestType(.out, .standard, .endpoint), request: StandardRequest.clearFeature.rawValue,
            index: 0x81)
        #expect(try harness.exchange(harness.peer.control(3, clear), harness.peer.in(4, length: 4)) == [reply(3)])
        harness.firmware.complete(.scriptedBulkIn, data: [1])
        #expect(try harness.receive() == [reply(4, .success, [1])])
    }

    @Test func setConfigurationEndsParkedURBsFirstAndIsAnsweredLast() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.exchange(
                harness.peer.in(1, length: 4), harness.peer.in(2, 2, length: 4), harness.peer.setConfiguration(3, 0))
                == [reply(1, .shutdown), reply(2, .shutdown), reply(3)])
        // Its endpoints are gone.
        #expect(try harness.exchange(harness.peer.in(4, length: 4)) == [reply(4, .stall)])
    }

    @Test func setInterfaceEndsOnlyItsOwnURBs() throws {
        let harness = try SessionHarness()
        let isochronous = SubmitCommand(
            sequenceNumber: 2, deviceID: SessionHarness.deviceID, direction: .in, endpoint: 3, length: 8,
            packetCount: 1)
        let replies = try harness.exchange(
            harness.peer.in(1, length: 4),
            .submit(isochronous, packets: [IsochronousDescriptor(offset: 0, length: 8)]),
            harness.peer.setInterface(3, 1, alternate: 0))
        #expect(replies.count == 2)
        guard case .submit(let ended, _, let packets)? = replies.first else { return }
        #expect(ended.sequenceNumber == 2)
        #expect(ended.status == .shutdown)
        #expect(packets.count == 1)
        #expect(replies.last == reply(3))
        #expect(harness.session.pendingCount == 1)
    }

    /// Device reset has no message: enumeration simply starts again.
    @Test func enumerationMayStartAgain() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.in(1, length: 4))
        let again = try harness.exchange(
            harness.peer.getDescriptor(2, 1, length: 64), harness.peer.setConfiguration(3, 1))
        #expect(again.count == 3)
        #expect(again.last == reply(3))
        #expect(try harness.exchange(harness.peer.in(4, length: 4)).isEmpty)
        harness.firmware.complete(.scriptedBulkIn, data: [9])
        #expect(try harness.receive() == [reply(4, .success, [9])])
    }
}

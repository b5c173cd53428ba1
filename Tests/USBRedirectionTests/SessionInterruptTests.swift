import NIOCore
import RedirectionTestKit
import Testing
import USBCore
import USBRedirection

@Suite("usbredir session: interrupt input is pushed")
struct SessionInterruptTests {
    typealias Harness = SessionHarness

    private func report(_ id: UInt64, _ data: [UInt8]) -> Message {
        Message(id, .interruptPacket(DataPacket(endpoint: 0x82, length: UInt16(data.count), data: data)))
    }

    private func started() throws -> Harness {
        let harness = try Harness.connected()
        #expect(
            try harness.exchange(Message(40, .startInterruptReceiving(endpoint: 0x82))) == [
                Message(40, .interruptReceivingStatus(.success, endpoint: 0x82))
            ])
        return harness
    }

    @Test func statusComesBeforeTheFirstPacket() throws {
        let harness = try Harness.connected()
        harness.firmware.send(report: [1])
        #expect(
            try harness.exchange(Message(40, .startInterruptReceiving(endpoint: 0x82))) == [
                Message(40, .interruptReceivingStatus(.success, endpoint: 0x82)), report(0, [1]),
            ])
    }

    @Test func packetsCountFromZeroAndAnIdleEndpointSaysNothing() throws {
        let harness = try started()
        harness.advance(.seconds(5))
        #expect(try harness.receive() == [])
        harness.firmware.send(report: [1, 2])
        #expect(try harness.receive() == [report(0, [1, 2])])
        harness.advance(.milliseconds(8))
        harness.firmware.send(report: [3])
        #expect(try harness.receive() == [report(1, [3])])
    }

    @Test func packetsDoNotComeFasterThanTheInterval() throws {
        let harness = try started()
        for value in 0..<5 { harness.firmware.send(report: [UInt8(value)]) }
        #expect(try harness.receive() == [report(0, [0])])
        harness.advance(.milliseconds(7))
        #expect(try harness.receive() == [])
        // bInterval 7 at high speed: 64 microframes, 8 ms.
        harness.advance(.milliseconds(1))
        #expect(try harness.receive() == [report(1, [1])])
        harness.advance(.milliseconds(8))
        #expect(try harness.receive() == [report(2, [2])])
    }

    @Test func aPeerThatDoesNotReadGetsOnePacketAndTheRestWaitsInTheDevice() throws {
        let harness = try started()
        harness.setWritable(false)
        for value in 0..<5 { harness.firmware.send(report: [UInt8(value)]) }
        harness.advance(.seconds(10))
        #expect(try harness.receive() == [report(0, [0])])
        #expect(harness.firmware.parkedCount(.keyboardIn) == 0)
        harness.setWritable(true)
        #expect(try harness.receive() == [report(1, [1])])
        harness.advance(.milliseconds(8))
        #expect(try harness.receive() == [report(2, [2])])
    }

    @Test func stopTakesTheParkedTransferBackSilently() throws {
        let harness = try started()
        #expect(harness.firmware.parkedCount(.keyboardIn) == 1)
        #expect(
            try harness.exchange(Message(41, .stopInterruptReceiving(endpoint: 0x82))) == [
                Message(41, .interruptReceivingStatus(.success, endpoint: 0x82))
            ])
        #expect(harness.firmware.parkedCount(.keyboardIn) == 0)
        harness.firmware.send(report: [9])
        harness.advance(.seconds(1))
        #expect(try harness.receive() == [])
    }

    @Test func startingAgainCountsFromZeroAgainAndALateTimerDoesNotDouble() throws {
        let harness = try started()
        harness.firmware.send(report: [1])
        _ = try harness.receive()
        _ = try harness.exchange(Message(41, .stopInterruptReceiving(endpoint: 0x82)))
        harness.firmware.send(report: [2])
        harness.firmware.send(report: [3])
        #expect(
            try harness.exchange(Message(42, .startInterruptReceiving(endpoint: 0x82))).last == report(0, [2]))
        harness.advance(.milliseconds(8))
        #expect(try harness.receive() == [report(1, [3])])
    }

    @Test func aSecondStartChangesNothing() throws {
        let harness = try started()
        _ = try harness.exchange(Message(41, .startInterruptReceiving(endpoint: 0x82)))
        #expect(harness.firmware.parkedCount(.keyboardIn) == 1)
    }

    @Test(arguments: [0x81, 0x02, 0x00, 0x8F, 0xF2] as [UInt8])
    func startOnAnyOtherEndpointIsInvalid(_ endpoint: UInt8) throws {
        let harness = try Harness.connected()
        #expect(
            try harness.exchange(Message(40, .startInterruptReceiving(endpoint: endpoint))) == [
                Message(40, .interruptReceivingStatus(.invalid, endpoint: endpoint))
            ])
    }

    @Test func aHaltedEndpointEndsTheStreamWithStallUntilTheGuestStartsAnew() throws {
        let harness = try started()
        harness.firmware.halt(.keyboardIn)
        #expect(
            try harness.receive() == [Message(0, .interruptReceivingStatus(.stall, endpoint: 0x82))])
        harness.advance(.seconds(1))
        #expect(try harness.receive() == [])
        let clear = ControlPacket(endpoint: 0, request: 1, requestType: 2, value: 0, index: 0x82, length: 0)
        _ = try harness.exchange(Message(1, .controlPacket(clear)))
        _ = try harness.exchange(Message(2, .startInterruptReceiving(endpoint: 0x82)))
        harness.firmware.send(report: [4])
        #expect(try harness.receive() == [report(0, [4])])
    }

    @Test func unplugEndsTheStreamWithoutAReply() throws {
        let harness = try started()
        harness.session.disconnectDevice()
        #expect(try harness.receive() == [Message(0, .deviceDisconnect)])
    }
}

import NIOCore
import Testing
import USBCore
import USBIP
import USBIPCodec
import USBIPTestKit

/// PROTOCOLS section 2: isochronous URBs and their descriptors.
@Suite("USB/IP session: isochronous transfers")
struct SessionIsochronousTests {
    private func command(
        _ number: UInt32, _ direction: Direction, length: Int32, packets: Int32
    ) -> SubmitCommand {
        SubmitCommand(
            sequenceNumber: number, deviceID: SessionHarness.deviceID, direction: direction, endpoint: 3,
            flags: .isochronousASAP, length: length, packetCount: packets, interval: 8)
    }

    private func descriptors(_ lengths: UInt32...) -> [IsochronousDescriptor] {
        var offset: UInt32 = 0
        return lengths.map { length in
            defer { offset += length }
            return IsochronousDescriptor(offset: offset, length: length)
        }
    }

    private func only(_ replies: [URBReply]) throws -> (SubmitReply, [UInt8], [IsochronousDescriptor]) {
        guard replies.count == 1, case .submit(let reply, let data, let packets) = replies[0] else {
            throw ImporterPeer.Violation(description: "not one answer: \(replies)")
        }
        return (reply, Array(data.readableBytesView), packets)
    }

    @Test func inIsAnsweredWhenItsFramesHaveElapsedAndNotBefore() throws {
        let harness = try SessionHarness()
        let request = URBRequest.submit(command(1, .in, length: 12, packets: 2), packets: descriptors(6, 6))
        #expect(try harness.exchange(request).isEmpty)
        #expect(
            harness.firmware.parked.first?.packets
                == [IsochronousPacket(offset: 0, length: 6), IsochronousPacket(offset: 6, length: 6)])
    }

    @Test func inDataIsPackedAndOffsetsAreTheRequests() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(.submit(command(1, .in, length: 18, packets: 3), packets: descriptors(6, 6, 6)))
        harness.firmware.complete(
            .scriptedIsochronousIn, data: [1, 2, 7],
            packets: [
                IsochronousPacket(offset: 0, length: 6, actualLength: 2), IsochronousPacket(offset: 6, length: 6),
                IsochronousPacket(offset: 12, length: 6, actualLength: 1),
            ])
        let (answer, data, packets) = try only(try harness.receive())
        #expect(data == [1, 2, 7])
        #expect(answer.actualLength == 3)
        #expect(answer.packetCount == 3)
        #expect(answer.errorCount == 0)
        #expect(packets.map(\.offset) == [0, 6, 12])
        #expect(packets.map(\.length) == [6, 6, 6])
        #expect(packets.map(\.actualLength) == [2, 0, 1])
        #expect(packets.map(\.status) == [.success, .success, .success])
    }

    @Test func failedPacketsAreCounted() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(.submit(command(1, .in, length: 12, packets: 2), packets: descriptors(6, 6)))
        harness.firmware.complete(
            .scriptedIsochronousIn, data: [1],
            packets: [
                IsochronousPacket(offset: 0, length: 6, status: .error),
                IsochronousPacket(offset: 6, length: 6, actualLength: 1),
            ])
        let (answer, _, packets) = try only(try harness.receive())
        #expect(answer.status == .success)
        #expect(answer.errorCount == 1)
        #expect(packets.map(\.status) == [.protocolError, .success])
    }

    @Test func outIsTheWholeBufferAndItsDescriptorsCountWhatWasTaken() throws {
        let harness = try SessionHarness()
        let gaps = [
            IsochronousDescriptor(offset: 0, length: 2), IsochronousDescriptor(offset: 4, length: 2),
        ]
        _ = try harness.exchange(
            .submit(command(1, .out, length: 6, packets: 2), data: [1, 2, 0, 0, 3, 4], packets: gaps))
        #expect(harness.firmware.parked.first?.data == [1, 2, 0, 0, 3, 4])
        harness.firmware.complete(
            .scriptedIsochronousOut, taken: 4,
            packets: [
                IsochronousPacket(offset: 0, length: 2, actualLength: 2),
                IsochronousPacket(offset: 4, length: 2, actualLength: 2),
            ])
        let (answer, data, packets) = try only(try harness.receive())
        #expect(answer.actualLength == 4)
        #expect(data.isEmpty)
        #expect(packets.map(\.offset) == [0, 4])
        #expect(packets.map(\.actualLength) == [2, 2])
    }

    /// Bluetooth sends these.
    @Test func noPacketsAreLegal() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(.submit(command(1, .in, length: 0, packets: 0)))
        harness.firmware.complete(.scriptedIsochronousIn)
        let (answer, _, packets) = try only(try harness.receive())
        #expect(answer.status == .success)
        #expect(answer.packetCount == 0)
        #expect(packets.isEmpty)
    }

    /// Linux does not read descriptors that it did not expect: the stream would be out of step.
    @Test func everyAnswerHasAsManyDescriptorsAsWereAsked() throws {
        let harness = try SessionHarness()
        let request = {
            URBRequest.submit(self.command($0, .in, length: 12, packets: 2), packets: self.descriptors(6, 6))
        }
        try harness.send(request(1), request(2), request(3))
        harness.firmware.complete(.scriptedIsochronousIn, .error)
        harness.firmware.complete(.scriptedIsochronousIn, data: [1], packets: [IsochronousPacket(offset: 0, length: 1)])
        harness.session.release("unplug")
        let replies = try harness.receive()
        #expect(replies.count == 3)
        for case .submit(let answer, _, let packets) in replies {
            #expect(packets.count == 2)
            #expect(answer.packetCount == 2)
            #expect(answer.errorCount == 2)
            #expect(answer.actualLength == 0)
        }
    }

    @Test func lengthsThatDisagreeWithTheDataAreNotSent() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(.submit(command(1, .in, length: 12, packets: 1), packets: descriptors(12)))
        harness.firmware.complete(
            .scriptedIsochronousIn, data: [1, 2, 3],
            packets: [IsochronousPacket(offset: 0, length: 12, actualLength: 2)])
        let (answer, data, packets) = try only(try harness.receive())
        #expect(answer.actualLength == 0)
        #expect(data.isEmpty)
        #expect(packets.map(\.status) == [.protocolError])
    }

    @Test(arguments: [(13, 0), (0, 13), (12, 1), (UInt32.max, UInt32.max), (0, .max)])
    func packetOutsideTheBufferIsInvalid(offset: UInt32, length: UInt32) throws {
        let harness = try SessionHarness()
        let (answer, _, packets) = try only(
            try harness.exchange(
                .submit(
                    command(1, .in, length: 12, packets: 1),
                    packets: [IsochronousDescriptor(offset: offset, length: length)])))
        #expect(answer.status == .invalid)
        #expect(packets.map(\.offset) == [offset])
        #expect(harness.firmware.parked.isEmpty)
    }

    @Test func moreThan1024PacketsEndTheConnection() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.refusal(of: [URBRequest.submit(command(1, .in, length: 12, packets: 1025))].bytes)
                == .packetCount(1025, limit: 1024))
    }

    /// jiegec allocates 34 GB and dies.
    @Test func hugePacketCountEndsTheConnection() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.refusal(of: [URBRequest.submit(command(1, .in, length: 12, packets: .max))].bytes)
                == .packetCount(.max, limit: 1024))
    }

    @Test func endpointOfAnotherAlternateSettingKeepsTheFraming() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.setInterface(1, 1, alternate: 0))
        harness.firmware.sourceFill = 4
        let replies = try harness.exchange(
            .submit(command(2, .out, length: 2, packets: 1), data: [1, 2], packets: descriptors(2)),
            harness.peer.in(3, length: 1))
        #expect(replies.count == 2)
        guard case .submit(let answer, _, let packets)? = replies.first else { return }
        #expect(answer.status == .stall)
        #expect(packets.count == 1)
        #expect(replies.last == reply(3, .success, [4]))
    }

    @Test func isochronousURBCanBeTakenBack() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.exchange(
                .submit(command(1, .in, length: 12, packets: 2), packets: descriptors(6, 6)),
                harness.peer.unlink(2, 1)) == [unlinked(2, .unlinked)])
    }

    @Test func startFrameCounts() throws {
        let harness = try SessionHarness()
        var frames: [Int32] = []
        for number in 1...2 as ClosedRange<UInt32> {
            _ = try harness.exchange(.submit(command(number, .in, length: 0, packets: 0)))
            harness.channel.embeddedEventLoop.advanceTime(by: .milliseconds(10))
            harness.firmware.complete(.scriptedIsochronousIn)
            frames.append(try only(try harness.receive()).0.startFrame)
        }
        #expect(frames[1] - frames[0] == 10)
    }
}

import NIOCore
import Testing
import USBCore
import USBIP
import USBIPCodec
import USBIPTestKit

/// PROTOCOLS section 2: bulk and interrupt, statuses, limits.
@Suite("USB/IP session: bulk and interrupt transfers")
struct SessionTransferTests {
    @Test func idleEndpointIsSilent() throws {
        let harness = try SessionHarness()
        #expect(try harness.exchange(harness.peer.in(1, length: 64), harness.peer.in(2, 2, length: 8)).isEmpty)
        harness.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(try harness.receive().isEmpty)
        #expect(harness.session.pendingCount == 2)
    }

    @Test func inDataComesWithItsHeaderInOneWrite() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.in(1, length: 64))
        harness.firmware.complete(.scriptedBulkIn, data: [1, 2, 3])
        #expect(try harness.receive() == [reply(1, .success, [1, 2, 3])])
        #expect(harness.writes == 1)
    }

    @Test func outIsAnsweredWithTheBytesTakenAndNoPayload() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.out(1, 1, [1, 2, 3, 4]))
        #expect(harness.firmware.parked(.scriptedBulkOut).first?.data == [1, 2, 3, 4])
        harness.firmware.complete(.scriptedBulkOut, taken: 4)
        #expect(try harness.receive() == [taken(1, .success, 4)])
    }

    /// The second one lets the importer work on the replies of the first 16 while those of the rest are made.
    @Test(arguments: [(2, 1), (16, 1), (32, 2), (200, 2)])
    func allRequestsOfOneReadGetOneWriteOrTwoWhenTheyAreMany(count: UInt32, writes: Int) throws {
        let harness = try SessionHarness()
        harness.firmware.sourceFill = 7
        harness.firmware.takesOut = true
        let requests = (1...count).map { number in
            number % 2 == 0 ? harness.peer.in(number, length: 16) : harness.peer.out(number, 1, [1, 2])
        }
        try harness.channel.writeInbound(harness.peer.bytes(requests))
        #expect(
            try harness.receive()
                == (1...count).map { number in
                    number % 2 == 0
                        ? reply(number, .success, [UInt8](repeating: 7, count: 16)) : taken(number, .success, 2)
                })
        #expect(harness.writes == writes)
    }

    @Test func completionsOfOneTurnOfTheLoopGetOneWrite() throws {
        let harness = try SessionHarness()
        for number in 1...8 as ClosedRange<UInt32> { try harness.send(harness.peer.in(number, length: 4)) }
        for _ in 0..<8 { harness.firmware.complete(.scriptedBulkIn, data: [1]) }
        #expect(try harness.receive().count == 8)
        #expect(harness.writes == 1)
    }

    @Test func requestsInAnyPiecesMeanTheSame() throws {
        for size in [1, 7, 47, 48, 49, 64] {
            let harness = try SessionHarness()
            harness.firmware.takesOut = true
            harness.firmware.sourceFill = 1
            var rest = harness.peer.bytes([
                harness.peer.out(1, 1, [UInt8](repeating: 3, count: 100)), harness.peer.in(2, length: 5),
                harness.peer.unlink(3, 2), harness.peer.out(4, 1, []),
            ])
            while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
                try harness.channel.writeInbound(piece)
            }
            #expect(
                try harness.receive()
                    == [
                        taken(1, .success, 100), reply(2, .success, [1, 1, 1, 1, 1]), unlinked(3, .success),
                        taken(4, .success, 0),
                    ])
        }
    }

    // MARK: Statuses

    @Test(arguments: [
        (TransferStatus.success, 0 as Int32), (.stall, -32), (.cancelled, -108), (.babble, -75), (.timeout, -62),
        (.error, -71), (.shortPacket, -121), (.noDevice, -108),
    ])
    func statusIsANegativeLinuxErrno(status: TransferStatus, errno: Int32) throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.in(1, length: 4))
        harness.firmware.complete(.scriptedBulkIn, status)
        #expect(try harness.receive() == [reply(1, URBStatus(rawValue: errno))])
    }

    @Test func shortInUnderShortNotOKIsEREMOTEIOWithItsData() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(
            harness.peer.in(1, length: 4, flags: .shortNotOK), harness.peer.in(2, length: 2, flags: .shortNotOK),
            harness.peer.in(3, length: 4))
        for _ in 0..<3 { harness.firmware.complete(.scriptedBulkIn, data: [1, 2]) }
        #expect(
            try harness.receive()
                == [reply(1, .short, [1, 2]), reply(2, .success, [1, 2]), reply(3, .success, [1, 2])])
    }

    @Test func shortControlInUnderShortNotOKIsEREMOTEIO() throws {
        let harness = try SessionHarness(configured: false)
        guard case .submit(var command, _, _) = harness.peer.getDescriptor(1, 1, length: 64) else { return }
        command.flags = [.shortNotOK, .directionIn]
        let device = harness.firmware.enumeration(at: .high).device.bytes
        #expect(try harness.exchange(.submit(command)) == [reply(1, .short, device)])
    }

    @Test func flagsReachTheDevice() throws {
        let harness = try SessionHarness()
        try harness.send(
            harness.peer.in(1, length: 4, flags: [.shortNotOK, .directionIn]),
            harness.peer.out(2, 1, [1], flags: [.zeroPacket]))
        #expect(harness.firmware.parked.map(\.flags) == [.shortNotOK, .zeroPacket])
    }

    @Test func unknownFlagsAreIgnored() throws {
        let harness = try SessionHarness()
        try harness.send(harness.peer.in(1, length: 4, flags: URBFlags(rawValue: 0xFFFF_FFBE)))
        #expect(harness.firmware.parked.map(\.flags) == [[]])
    }

    @Test func moreThanTheRoomIsBabbleAndCut() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.in(1, length: 2))
        harness.firmware.complete(.scriptedBulkIn, data: [1, 2, 3])
        #expect(try harness.receive() == [reply(1, .babble, [1, 2])])
    }

    /// One invariant for CVE-2017-16914: what is claimed is what is sent; for OUT never more than was given.
    @Test func outNeverCountsMoreThanWasGiven() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.out(1, 1, [1, 2]))
        harness.firmware.complete(.scriptedBulkOut, taken: 99)
        #expect(try harness.receive() == [taken(1, .success, 2)])
    }

    @Test func stallStaysUntilItIsCleared() throws {
        let harness = try SessionHarness()
        try harness.send(harness.peer.in(1, length: 4), harness.peer.in(2, length: 4))
        harness.firmware.halt(.scriptedBulkIn)
        #expect(try harness.receive() == [reply(1, .stall), reply(2, .stall)])
        #expect(try harness.exchange(harness.peer.in(3, length: 4)) == [reply(3, .stall)])
    }

    @Test func unknownEndpointStallsAfterItsDataAndTheStreamGoesOn() throws {
        let harness = try SessionHarness()
        harness.firmware.takesOut = true
        #expect(
            try harness.exchange(
                harness.peer.out(1, 9, [1, 2, 3, 4, 5]), harness.peer.in(2, 15, length: 64),
                harness.peer.out(3, 1, [1])) == [taken(1, .stall, 0), reply(2, .stall), taken(3, .success, 1)])
    }

    // MARK: Numbers

    @Test func sequenceNumbersMayStartAnywhereHaveHolesAndWrap() throws {
        let harness = try SessionHarness()
        harness.firmware.sourceFill = 1
        #expect(
            try harness.exchange(
                harness.peer.in(.max - 1, length: 1), harness.peer.in(.max, length: 1), harness.peer.in(0, length: 1),
                harness.peer.in(77, length: 1))
                == [.max - 1, .max, 0, 77].map { reply($0, .success, [1]) })
    }

    @Test(arguments: [0 as UInt32, 1, 0x0002_0002, .max])
    func requestForAnotherDeviceEndsTheConnection(deviceID: UInt32) throws {
        for request in [
            URBRequest.submit(
                SubmitCommand(sequenceNumber: 1, deviceID: deviceID, direction: .in, endpoint: 1, length: 4)),
            .unlink(UnlinkCommand(sequenceNumber: 1, deviceID: deviceID, target: 0)),
        ] {
            let harness = try SessionHarness()
            #expect(
                try harness.refusal(of: [request].bytes) == .deviceID(deviceID, expected: SessionHarness.deviceID))
        }
    }

    @Test func garbageEndsTheConnectionAndReleasesTheDevice() throws {
        let harness = try SessionHarness()
        _ = try harness.exchange(harness.peer.in(1, length: 4))
        #expect(try harness.refusal(of: [UInt8](repeating: 0xEE, count: 48)) == .unknownCommand(0xEEEE_EEEE))
        #expect(harness.ended.count == 1)
        #expect(harness.session.pendingCount == 0)
    }

    // MARK: Limits

    @Test func urbsBeyondTheLimitFailAtOnceAndTheRestGoOn() throws {
        let harness = try SessionHarness(limits: SessionLimits(maximumPendingURBs: 4))
        for number in 1...4 as ClosedRange<UInt32> { try harness.send(harness.peer.in(number, length: 4)) }
        #expect(try harness.exchange(harness.peer.in(5, length: 4)) == [reply(5, .noMemory)])
        harness.firmware.complete(.scriptedBulkIn, data: [1])
        #expect(try harness.receive() == [reply(1, .success, [1])])
        #expect(try harness.exchange(harness.peer.in(6, length: 4)).isEmpty)
    }

    @Test func fourThousandAndNinetySixURBsMayBePending() throws {
        let harness = try SessionHarness()
        var requests = (0..<4096).map { harness.peer.in($0, length: 4) }
        requests.append(harness.peer.in(9999, length: 4))
        try harness.channel.writeInbound(harness.peer.bytes(requests))
        #expect(try harness.receive() == [reply(9999, .noMemory)])
        #expect(harness.session.pendingCount == 4096)
    }

    @Test func bytesBeyondTheBudgetFailAtOnce() throws {
        let harness = try SessionHarness(limits: SessionLimits(maximumPendingBytes: 100))
        #expect(
            try harness.exchange(
                harness.peer.in(1, length: 60), harness.peer.in(2, length: 60),
                harness.peer.out(3, 1, [UInt8](repeating: 0, count: 40)), harness.peer.in(4, length: 1))
                == [reply(2, .noMemory), reply(4, .noMemory)])
    }

    @Test func roomBeyondTheTransferLimitFailsAndCostsNothing() throws {
        let harness = try SessionHarness()
        #expect(try harness.exchange(harness.peer.in(1, length: .max)) == [reply(1, .messageTooLong)])
        #expect(harness.session.pendingCount == 0)
    }

    /// lcgamboa dies of this, jiegec of 34 GB for packets.
    @Test func claimedLengthAllocatesNothing() throws {
        let harness = try SessionHarness()
        let command = SubmitCommand(
            sequenceNumber: 1, deviceID: SessionHarness.deviceID, direction: .out, endpoint: 1, length: 16 << 20)
        try harness.send(raw: [URBRequest.submit(command)].bytes)
        #expect(harness.session.unreadBytes == 48)
        #expect(harness.session.end == nil)
    }

    @Test func sixteenMebibytesOutArriveInPieces() throws {
        let harness = try SessionHarness()
        harness.firmware.takesOut = true
        let data = [UInt8](repeating: 0xC3, count: 16 << 20)
        var bytes = harness.peer.bytes([harness.peer.out(1, 1, data), harness.peer.unlink(2, 1)])
        while let piece = bytes.readSlice(length: min(100_000, bytes.readableBytes)), piece.readableBytes > 0 {
            try harness.channel.writeInbound(piece)
        }
        #expect(try harness.receive() == [taken(1, .success, 16 << 20), unlinked(2, .success)])
    }
}

import NIOCore
import Testing
import USBCore
import USBDevice
import USBIP
import USBIPCodec
import USBIPTestKit

/// PROTOCOLS section 2: exactly one RET_UNLINK per CMD_UNLINK, and never beside a RET_SUBMIT that Linux does not expect.
@Suite("USB/IP session: unlink")
struct SessionUnlinkTests {
    @Test func pendingURBIsTakenBackAndNeverAnswered() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.exchange(harness.peer.in(1, length: 4), harness.peer.unlink(2, 1)) == [unlinked(2, .unlinked)])
        #expect(harness.firmware.parked.isEmpty)
        harness.firmware.complete(.scriptedBulkIn, data: [1])
        #expect(try harness.receive().isEmpty)
        #expect(harness.session.pendingCount == 0)
    }

    /// usbip-python and usbipdcpp say 0 without the answer: Linux then gives the URB back as a success of no bytes.
    @Test func answeredURBIsUnlinkedWithZeroAfterItsAnswer() throws {
        let harness = try SessionHarness()
        harness.firmware.sourceFill = 5
        #expect(
            try harness.exchange(harness.peer.in(1, length: 2), harness.peer.unlink(2, 1))
                == [reply(1, .success, [5, 5]), unlinked(2, .success)])
    }

    @Test func unlinkStaysBehindAnAnswerThatWaitsForTheSocket() throws {
        let harness = try SessionHarness()
        try harness.send(harness.peer.in(1, length: 2))
        harness.firmware.complete(.scriptedBulkIn, data: [5])
        // Not flushed yet: the completion came outside of a read.
        try harness.send(harness.peer.unlink(2, 1))
        #expect(try harness.receive() == [reply(1, .success, [5]), unlinked(2, .success)])
    }

    @Test func unknownURBIsUnlinkedWithZero() throws {
        let harness = try SessionHarness()
        #expect(try harness.exchange(harness.peer.unlink(2, 99)) == [unlinked(2, .success)])
    }

    @Test func secondUnlinkOfTheSameURBGetsZero() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.exchange(harness.peer.in(1, length: 4), harness.peer.unlink(2, 1), harness.peer.unlink(3, 1))
                == [unlinked(2, .unlinked), unlinked(3, .success)])
    }

    /// usbipd-win#684: the device may be faster while it is being asked to forget.
    @Test func deviceThatAnswersWhileItIsAskedToForgetHasWon() throws {
        let harness = try SessionHarness()
        try harness.send(harness.peer.in(1, length: 4))
        harness.firmware.onWithdraw = { [firmware = harness.firmware] id in
            firmware.port?.complete(
                TransferCompletion(id: id, endpoint: .scriptedBulkIn, status: .success, data: [8, 8]))
        }
        #expect(
            try harness.exchange(harness.peer.unlink(2, 1)) == [reply(1, .success, [8, 8]), unlinked(2, .success)])
    }

    /// usbipdcpp broadcasts to all interfaces: two answers, the first of them 0.
    @Test func compositeDeviceAnswersAnUnlinkOnce() throws {
        let harness = try SessionHarness()
        #expect(
            try harness.exchange(
                harness.peer.in(1, length: 4), harness.peer.in(2, 2, length: 4), harness.peer.unlink(3, 2))
                == [unlinked(3, .unlinked)])
        #expect(harness.session.pendingCount == 1)
    }

    @Test func controlTransferCanBeTakenBack() throws {
        let harness = try SessionHarness(configured: false)
        harness.firmware.holdsControl = true
        #expect(
            try harness.exchange(harness.peer.getDescriptor(1, 1, length: 18), harness.peer.unlink(2, 1))
                == [unlinked(2, .unlinked)])
    }

    @Test func slotOfAnUnlinkedURBIsFreeForTheNext() throws {
        let harness = try SessionHarness()
        for round in 0..<5000 as Range<UInt32> {
            let replies = try harness.exchange(
                harness.peer.in(2 * round + 1, length: 4), harness.peer.unlink(2 * round + 2, 2 * round + 1))
            guard replies == [unlinked(2 * round + 2, .unlinked)] else {
                Issue.record("round \(round): \(replies)")
                return
            }
        }
        #expect(harness.session.pendingCount == 0)
    }

    /// Random traffic; the ledger in the peer knows what Linux would take offence at.
    @Test func everyURBHasExactlyOneEndUnderRandomTraffic() throws {
        let harness = try SessionHarness()
        var random = SplitMix64(state: 0x684)
        var next: UInt32 = 1
        var pending: [UInt32] = []
        for _ in 0..<3000 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                try harness.send(harness.peer.in(next, length: 8))
                pending.append(next)
                next += 1
            case 2:
                if let target = pending.randomElement(using: &random) {
                    try harness.send(harness.peer.unlink(next, target))
                    next += 1
                }
            case 3: harness.firmware.complete(.scriptedBulkIn, data: [1, 2])
            default: _ = try harness.receive()
            }
        }
        _ = try harness.receive()
        #expect(harness.peer.ledger.openUnlinks == 0)
        #expect(harness.peer.ledger.openURBs == harness.session.pendingCount)
    }
}

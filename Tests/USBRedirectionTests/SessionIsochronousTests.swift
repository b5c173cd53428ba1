import RedirectionTestKit
import Testing
import USBCore
import USBRedirection

@Suite("usbredir session: isochronous streams")
struct SessionIsochronousTests {
    typealias Harness = IsochronousHarness

    private func numbers(_ messages: [Message]) -> [UInt64] { messages.map(\.id) }

    // MARK: Announcement

    /// QEMU makes its rate of this: 8000 a second at high speed, 1000 at any other.
    @Test(arguments: [(Speed.full, 1), (.high, 8), (.super, 1)] as [(Speed, UInt8)])
    func intervalsAreAnnouncedInWhatQEMUCounts(_ speed: Speed, _ interval: UInt8) throws {
        let harness = try Harness(speed: speed)
        guard case .endpointInfo(let info)? = harness.announced.first?.packet else {
            Issue.record("no ep_info: \(harness.announced)")
            return
        }
        let entry = info[EndpointAddress(1, .in).index]
        #expect(entry.type == TransferType.isochronous.rawValue)
        #expect(entry.interval == interval)
        #expect(entry.maxPacketSize == 96)
    }

    // MARK: IN

    @Test(arguments: [Speed.full, .high, .super])
    func aPacketIsPushedForEachIntervalAtTheTrueRate(_ speed: Speed) throws {
        let harness = try Harness(speed: speed)
        #expect(try harness.start(0x81) == [Harness.status(7, .success, 0x81)])
        #expect(try harness.advance(2) == [])
        var pushed: [Message] = []
        for _ in 0..<1000 {
            let before = pushed.count
            pushed += try harness.advance(2)
            #expect(pushed.count == before + 2)
        }
        #expect(pushed == (0..<2000).map { Harness.packet(UInt64($0), 0x81, [UInt8(truncatingIfNeeded: $0)]) })
    }

    @Test func emptyPacketsKeepThePace() throws {
        let harness = try Harness()
        harness.function.packet = { $0 % 2 == 0 ? [] : [UInt8($0)] }
        _ = try harness.start(0x81)
        #expect(
            try harness.advance(6) == [
                Harness.packet(0, 0x81, []), Harness.packet(1, 0x81, [1]), Harness.packet(2, 0x81, []),
                Harness.packet(3, 0x81, [3]),
            ])
    }

    @Test func aPacketThatIsTooLongIsBabbleByItself() throws {
        let harness = try Harness()
        harness.function.packet = { Array(repeating: 1, count: $0 == 1 ? 97 : 1) }
        _ = try harness.start(0x81)
        #expect(
            try harness.advance(4) == [
                Harness.packet(0, 0x81, [1]), Harness.packet(1, 0x81, Array(repeating: 1, count: 96), .babble),
            ])
    }

    @Test func whatAGuestDoesNotReadIsDroppedAndCounted() throws {
        let harness = try Harness()
        _ = try harness.start(0x81)
        #expect(numbers(try harness.advance(4)) == [0, 1])
        harness.setWritable(false)
        #expect(try harness.advance(10_000) == [])
        #expect(harness.port.pendingCount == 2)
        harness.setWritable(true)
        let next = try harness.advance(4)
        #expect(numbers(next) == [10_002, 10_003, 10_004, 10_005])
        // What is pushed is of the present.
        #expect(next.first == Harness.packet(10_002, 0x81, [UInt8(truncatingIfNeeded: 10_002)]))
    }

    @Test func stopEndsItAndStartBeginsAnew() throws {
        let harness = try Harness()
        _ = try harness.start(0x81)
        _ = try harness.advance(10)
        #expect(
            try harness.exchange(Message(8, .stopIsochronousStream(endpoint: 0x81))) == [
                Harness.status(8, .success, 0x81)
            ])
        #expect(harness.port.pendingCount == 0)
        #expect(try harness.advance(1000) == [])
        #expect(try harness.start(0x81, id: 9) == [Harness.status(9, .success, 0x81)])
        #expect(numbers(try harness.advance(4)) == [0, 1])
        // A second stop is answered too.
        for id: UInt64 in [10, 11] {
            #expect(
                try harness.exchange(Message(id, .stopIsochronousStream(endpoint: 0x81))) == [
                    Harness.status(id, .success, 0x81)
                ])
        }
    }

    @Test func startingTwiceLeavesOneStream() throws {
        let harness = try Harness()
        _ = try harness.start(0x81)
        _ = try harness.start(0x81, packets: 4)
        #expect(harness.port.pendingCount == 2)
        #expect(numbers(try harness.advance(8)) == [0, 1, 2, 3])
    }

    @Test(
        arguments: [
            (0x82, 2, 2), (0x80, 2, 2), (0x00, 2, 2), (0x8F, 2, 2), (0xF1, 2, 2), (0x81, 0, 2), (0x81, 2, 0),
        ] as [(UInt8, UInt8, UInt8)])
    func whatCannotBeStartedIsStalled(_ endpoint: UInt8, _ packets: UInt8, _ urbs: UInt8) throws {
        let harness = try Harness()
        #expect(
            try harness.start(endpoint, packets: packets, urbs: urbs) == [Harness.status(7, .stall, endpoint)])
        #expect(harness.port.pendingCount == 0)
    }

    @Test func theLargestStreamAGuestCanAskForWorks() throws {
        let harness = try Harness()
        _ = try harness.start(0x81, packets: 255, urbs: 255)
        #expect(harness.port.pendingCount == 2)
        #expect(numbers(try harness.advance(256)).count == 255)
    }

    // MARK: Ends

    /// Stall tells QEMU that it has to start anew; any other status would be one lost packet to it.
    @Test func aStreamThatBreaksIsStalledOnceAndCanBeStartedAgain() throws {
        let harness = try Harness()
        _ = try harness.start(0x81)
        _ = try harness.advance(4)
        harness.function.context?.halt("in")
        #expect(try harness.advance(0) == [Harness.status(0, .stall, 0x81)])
        #expect(try harness.advance(1000) == [])
        let clear = ControlPacket(endpoint: 0, request: 1, requestType: 2, value: 0, index: 0x81, length: 0)
        _ = try harness.exchange(Message(20, .controlPacket(clear)))
        #expect(try harness.start(0x81, id: 21) == [Harness.status(21, .success, 0x81)])
        #expect(numbers(try harness.advance(4)) == [0, 1])
    }

    @Test func aDeviceThatRefusesBreaksTheStreamAtOnce() throws {
        let harness = try Harness(hasClock: false)
        #expect(
            try harness.start(0x81) == [Harness.status(7, .success, 0x81), Harness.status(0, .stall, 0x81)])
        #expect(harness.port.pendingCount == 0)
    }

    @Test(arguments: ["alternate", "configuration", "reset", "unplug"])
    func whatTakesTheEndpointsAwayStopsTheStreamsSilently(_ how: String) throws {
        let harness = try Harness()
        _ = try harness.start(0x81)
        _ = try harness.start(0x01)
        for _ in 0..<6 { _ = try harness.exchange(Harness.packet(0, 0x01, [1])) }
        #expect(harness.port.pendingCount > 2)
        var answer: [Message]
        switch how {
        case "alternate": answer = try harness.exchange(Message(30, .setAlternateSetting(interface: 0, alternate: 0)))
        case "configuration": answer = try harness.exchange(Message(30, .setConfiguration(0)))
        case "reset": answer = try harness.exchange(Message(30, .reset))
        default:
            harness.session.disconnectDevice()
            answer = try harness.receive()
        }
        answer += try harness.advance(1000)
        for message in answer {
            switch message.packet {
            case .isochronousPacket, .isochronousStreamStatus: Issue.record("\(message)")
            default: break
            }
        }
        #expect(harness.port.pendingCount == 0)
        if how == "alternate" {
            #expect(try harness.start(0x81) == [Harness.status(7, .stall, 0x81)])
            _ = try harness.exchange(Message(31, .setAlternateSetting(interface: 0, alternate: 1)))
            _ = try harness.start(0x81)
            #expect(numbers(try harness.advance(4)) == [0, 1])
        }
    }

    // MARK: OUT

    @Test func playingBeginsWhenHalfOfTheRoomIsFull() throws {
        let harness = try Harness()
        #expect(try harness.start(0x01) == [Harness.status(7, .success, 0x01)])
        for value: UInt8 in 0..<3 { #expect(try harness.exchange(Harness.packet(0, 0x01, [value])) == []) }
        #expect(try harness.advance(100) == [])
        #expect(harness.function.received == [])
        #expect(try harness.exchange(Harness.packet(0, 0x01, [3])) == [])
        #expect(try harness.advance(4) == [])
        #expect(harness.function.received == [[0], [1]])
        #expect(try harness.advance(2) == [])
        #expect(harness.function.received == [[0], [1], [2], [3]])
    }

    @Test func aSteadyGuestIsPlayedWithoutALossAtTheTrueRate() throws {
        let harness = try Harness()
        _ = try harness.start(0x01)
        for value in 0..<1000 {
            #expect(try harness.exchange(Harness.packet(0, 0x01, [UInt8(truncatingIfNeeded: value), 1])) == [])
            _ = try harness.advance(1)
        }
        _ = try harness.advance(100)
        #expect(harness.function.received == (0..<1000).map { [UInt8(truncatingIfNeeded: $0), 1] })
    }

    @Test func afterItRanDryItFillsAgain() throws {
        let harness = try Harness()
        _ = try harness.start(0x01)
        for value: UInt8 in 0..<4 { _ = try harness.exchange(Harness.packet(0, 0x01, [value])) }
        _ = try harness.advance(1000)
        for value: UInt8 in 4..<7 { _ = try harness.exchange(Harness.packet(0, 0x01, [value])) }
        _ = try harness.advance(1000)
        #expect(harness.function.received.count == 4)
        _ = try harness.exchange(Harness.packet(0, 0x01, [7]))
        _ = try harness.advance(1000)
        #expect(harness.function.received == (0..<8).map { [$0] })
    }

    @Test func whatDoesNotFitIsDropped() throws {
        let harness = try Harness()
        _ = try harness.start(0x01)
        for value: UInt8 in 0..<100 { #expect(try harness.exchange(Harness.packet(0, 0x01, [value])) == []) }
        _ = try harness.exchange(Harness.packet(0, 0x01, Array(repeating: 1, count: 97)))
        _ = try harness.advance(1000)
        #expect(harness.function.received == (0..<8).map { [$0] })
    }

    @Test func packetsWithoutAStreamAreDroppedWithoutAWord() throws {
        let harness = try Harness()
        #expect(try harness.exchange(Harness.packet(0, 0x01, [1])) == [])
        #expect(try harness.exchange(Harness.packet(0, 0x02, [1])) == [])
        _ = try harness.advance(100)
        #expect(harness.function.received == [])
    }
}

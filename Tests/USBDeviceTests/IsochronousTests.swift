import Testing
import USBCore

@testable import USBDevice

/// Isochronous transfers: their pace and their packets.
@Suite struct IsochronousTests {
    let function = IsochronousFunction()
    let clock = ManualFrameClock(at: 1003)
    let host: TestHost

    static let msIn: UInt8 = 1
    static let fastIn: UInt8 = 2
    static let slowIn: UInt8 = 3

    init() throws { host = try Self.host(function, clock, .high) }

    static func host(
        _ function: IsochronousFunction, _ clock: ManualFrameClock, _ speed: Speed, alternate: UInt16 = 1
    ) throws -> TestHost {
        let host = try TestHost([function], at: nil)
        host.device.frameClock = clock
        try host.port.connect(to: host, speed: speed)
        host.configure()
        #expect(host.request(.out, .standard, .interface, 11, value: alternate).status == .success)
        host.forget()
        return host
    }

    /// `count` packets of `length` bytes, a gap of four bytes after each.
    func packets(_ count: Int, _ length: Int = 8) -> [IsochronousPacket] {
        (0..<count).map { IsochronousPacket(offset: $0 * (length + 4), length: length) }
    }

    func submitIn(_ id: TransferID, _ number: UInt8 = msIn, count: Int, length: Int = 8) {
        host.port.submit(.in(id, number, length: count * (length + 4), packets: packets(count, length)))
    }

    func submitOut(_ id: TransferID, _ payloads: [[UInt8]]) {
        var offset = 0
        var packets: [IsochronousPacket] = []
        for payload in payloads {
            packets.append(IsochronousPacket(offset: offset, length: payload.count))
            offset += payload.count
        }
        host.port.submit(.out(id, 1, data: payloads.flatMap(\.self), packets: packets))
    }

    // MARK: Pace

    @Test func aTransferEndsWithItsLastInterval() {
        // Microframe 1003 is in a frame; the first whole one begins at 1008.
        submitIn(1, count: 4)
        clock.advance(by: 5 + 32 - 1)
        #expect(host.transfers == [])
        clock.advance(by: 1)
        #expect(host.transfers == ["1 ok 4"])
    }

    @Test func transfersFollowEachOtherWithoutAGap() {
        for id in 1...3 { submitIn(TransferID(id), count: 2) }
        clock.advance(by: 5 + 15)
        #expect(host.transfers == [])
        clock.advance(by: 1)
        #expect(host.transfers == ["1 ok 2"])
        clock.advance(by: 16)
        #expect(host.transfers == ["1 ok 2", "2 ok 2"])
        clock.advance(by: 16)
        #expect(host.completions.flatMap(\.data) == [0, 1, 2, 3, 4, 5])
        #expect(clock.scheduledCount == 0)
    }

    @Test(arguments: [(Speed.high, 8), (.super, 8), (.full, 8)])
    func aMillisecondIsAMillisecondAtEachSpeed(_ speed: Speed, _ microframes: Int) throws {
        let clock = ManualFrameClock(at: 8)
        let host = try Self.host(IsochronousFunction(), clock, speed)
        host.port.submit(.in(1, 1, length: 1, packets: [IsochronousPacket(offset: 0, length: 1)]))
        clock.advance(by: 8 + microframes - 1)
        #expect(host.transfers == [])
        clock.advance(by: 1)
        #expect(host.transfers == ["1 ok 1"])
    }

    @Test func intervalsOfAMicroframeAndOfFourMilliseconds() {
        submitIn(1, Self.fastIn, count: 8)
        clock.advance(by: 8)
        #expect(host.transfers == [])
        clock.advance(by: 1)
        #expect(host.transfers == ["1 ok 8"])
        // 1012 now; the next boundary of 32 microframes is 1024.
        submitIn(2, Self.slowIn, count: 1)
        clock.advance(by: 12 + 31)
        #expect(host.transfers == ["1 ok 8"])
        clock.advance(by: 1)
        #expect(host.transfers == ["1 ok 8", "2 ok 1"])
    }

    @Test func descriptorsSayTheIntervalsAndCarryTheirExtras() throws {
        func words(_ speed: Speed) -> [[UInt8]] {
            (host.device.enumeration(at: speed).configurations.first?.interfaces.last?.endpoints ?? []).map {
                [$0.interval, $0.attributes]
            }
        }
        #expect(words(.high) == [[4, 0x0D], [4, 1], [1, 1], [6, 1]])
        #expect(words(.full) == [[1, 0x0D], [1, 1], [1, 1], [3, 1]])
        let bytes = host.device.enumeration(at: .high).configurations[0].interfaces[1].endpoints[0].bytes
        #expect(bytes == [9, 5, 0x81, 0x0D, 96, 0, 4, 0, 0, 3, 0x25, 1])
    }

    @Test func tenMinutesOfAHostThatIsServedLateKeepTheRate() {
        // Three transfers of 8 ms are under way; the loop is late by up to 60 ms, again and again.
        var next: TransferID = 3
        host.onCompletion = { [host] completion in
            guard completion.endpoint.number == 1 else { return }
            next += 1
            host.port.submit(
                .in(next, 1, length: 8, packets: (0..<8).map { IsochronousPacket(offset: $0, length: 1) }))
        }
        for id in 1...3 { submitIn(TransferID(id), count: 8, length: 1) }
        var state: UInt32 = 1
        while clock.microframe < 1008 + 600_000 * 8 {
            state = state &* 1_664_525 &+ 1_013_904_223
            clock.stall(for: Int(state >> 20) % 480 + 1)
            // Never ahead of time, never behind by more than the transfer that is under way.
            let due = (clock.microframe - 1008) / 8
            #expect(function.asked.count <= due)
            #expect(function.asked.count > due - 8)
        }
        #expect(function.asked == Array(0..<function.asked.count))
    }

    @Test func aHostThatComesBackAfterALongPauseBeginsAtThePresent() {
        submitIn(1, count: 2)
        clock.advance(by: 21 + IsochronousSchedule.maximumLag + 8)
        #expect(host.transfers == ["1 ok 2"])
        submitIn(2, count: 2)
        clock.advance(by: 7)
        #expect(host.transfers == ["1 ok 2"])
        clock.advance(by: 24)
        // What passed meanwhile was not asked for: a hole in the numbers.
        #expect(function.asked == [0, 1, 504, 505])
    }

    @Test func aHostThatIsLateByLessMissesNothingAndIsServedAtOnce() {
        submitIn(1, count: 2)
        clock.advance(by: 21 + 400)
        submitIn(2, count: 49)
        clock.advance(by: 0)
        #expect(host.transfers == ["1 ok 2", "2 ok 49"])
        #expect(function.asked == Array(0..<51))
    }

    // MARK: Packets

    @Test func inDataIsPackedAndOffsetsAreTheRequests() {
        function.packet = { interval, _ in Array(repeating: UInt8(interval), count: interval) }
        submitIn(1, count: 3, length: 4)
        clock.advance(by: 100)
        let completion = host.completions[0]
        #expect(completion.data == [1, 2, 2])
        #expect(completion.actualLength == 3)
        #expect(
            completion.packets == [
                IsochronousPacket(offset: 0, length: 4, actualLength: 0),
                IsochronousPacket(offset: 8, length: 4, actualLength: 1),
                IsochronousPacket(offset: 16, length: 4, actualLength: 2),
            ])
    }

    @Test func anOverlongPacketIsCutAndIsBabbleAloneOfItsTransfer() {
        function.packet = { interval, length in Array(repeating: 7, count: interval == 1 ? length + 1 : length) }
        submitIn(1, count: 3, length: 4)
        clock.advance(by: 100)
        #expect(host.completions[0].status == .success)
        #expect(host.completions[0].packets.map(\.status) == [.success, .babble, .success])
        #expect(host.completions[0].packets.map(\.actualLength) == [4, 4, 4])
        #expect(host.completions[0].data.count == 12)
    }

    @Test func aFunctionIsNeverAskedForMoreThanThePacketSize() {
        var lengths: [Int] = []
        function.packet = { _, length in
            lengths.append(length)
            return []
        }
        submitIn(1, count: 1, length: 500)
        clock.advance(by: 100)
        #expect(lengths == [96])
        #expect(host.completions[0].packets[0].length == 500)
    }

    @Test func outPacketsArriveInOrderWithEmptyOnes() {
        submitOut(1, [[1, 2], [], [3]])
        submitOut(2, [[4]])
        clock.advance(by: 5 + 32)
        #expect(function.received.map(\.bytes) == [[1, 2], [], [3], [4]])
        #expect(function.received.map(\.interval) == [0, 1, 2, 3])
        #expect(host.transfers == ["1 ok 3", "2 ok 1"])
        #expect(host.completions[0].packets.map(\.actualLength) == [2, 0, 1])
    }

    @Test func anOutPacketLargerThanTheEndpointsFailsAlone() {
        submitOut(1, [Array(repeating: 1, count: 97), [5]])
        clock.advance(by: 100)
        #expect(host.completions[0].packets.map(\.status) == [.error, .success])
        #expect(host.completions[0].actualLength == 1)
        #expect(function.received.map(\.bytes) == [[5]])
    }

    @Test func withoutPacketsATransferTakesAnInterval() {
        host.port.submit(.in(1, 1, length: 10))
        clock.advance(by: 5 + 7)
        #expect(host.transfers == [])
        clock.advance(by: 1)
        #expect(host.transfers == ["1 ok 0"])
    }

    @Test func aMutedFunctionSendsEmptyPacketsAndThePaceGoesOn() {
        host.device.setGate(.muted, of: "iso")
        submitIn(1, count: 2)
        submitOut(2, [[1], [2]])
        clock.advance(by: 21)
        #expect(host.transfers.sorted() == ["1 ok 0", "2 ok 2"])
        #expect(function.received.isEmpty)
        host.device.setGate(.on, of: "iso")
        submitIn(3, count: 1)
        clock.advance(by: 8)
        #expect(host.completions.last?.data == [2])
    }
}

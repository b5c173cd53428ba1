import Testing

@testable import USBClasses

struct NCMTests {
    private func frames(_ sizes: [Int]) -> [[UInt8]] {
        sizes.enumerated().map { index, size in (0..<size).map { UInt8(truncatingIfNeeded: index &* 31 &+ $0) } }
    }

    @Test(arguments: [NTBFormat.ntb16, .ntb32], [false, true])
    func blocksRoundTrip(format: NTBFormat, crc: Bool) {
        let sent = frames([14, 15, 60, 1514, 1513, 64])
        var builder = NTBBuilder(format: format, appendsCRC: crc, sequence: 0x1234)
        for frame in sent {
            let fits1 = builder.add(frame)
            #expect(fits1)
        }
        let bytes = builder.finish(packetSize: 512)
        #expect(bytes[6] == 0x34 && bytes[7] == 0x12)
        #expect(format.blockLength(bytes) == bytes.count)
        let block = NTBParser(format: format).parse(bytes)
        #expect(block.frames == sent)
        #expect(block.faults == [])
    }

    /// NCM 1.0 tables 3-1 and 3-3, byte by byte.
    @Test func writesAHeaderAndATable() {
        var builder = NTBBuilder(sequence: 1)
        let fits2 = builder.add(Array(repeating: 0xAA, count: 14))
        #expect(fits2)
        let bytes = builder.finish(packetSize: 512)
        #expect(Array(bytes[..<12]) == [0x4E, 0x43, 0x4D, 0x48, 12, 0, 1, 0, 44, 0, 28, 0])
        #expect(bytes[12..<26].allSatisfy { $0 == 0xAA })
        #expect(Array(bytes[28...]) == [0x4E, 0x43, 0x4D, 0x30, 16, 0, 0, 0, 12, 0, 14, 0, 0, 0, 0, 0])
    }

    @Test func fillsABlockUpToItsLimitsAndEndsWithAShortPacket() {
        var full = NTBBuilder(capacity: 2048, sequence: 0)
        let fits3 = full.add(Array(repeating: 1, count: 1514))
        #expect(fits3)
        let fits4 = full.add(Array(repeating: 1, count: 1514))
        #expect(!fits4)
        let fits5 = full.add(Array(repeating: 1, count: 400))
        #expect(fits5)
        #expect(full.finish(packetSize: 512).count <= 2048)
        var few = NTBBuilder(maximumFrames: 1, sequence: 0)
        let fits6 = few.add(Array(repeating: 1, count: 14))
        #expect(fits6)
        let fits7 = few.add(Array(repeating: 1, count: 14))
        #expect(!fits7)
        for size in 14...600 {
            var builder = NTBBuilder(sequence: 0)
            let fits8 = builder.add(Array(repeating: 1, count: size))
            #expect(fits8)
            let bytes = builder.finish(packetSize: 64)
            #expect(bytes.count % 64 != 0)
            #expect(NTBParser().parse(bytes).frames.map(\.count) == [size])
        }
        // Full to the last byte is the one block of whole packets: its transfer is full too.
        var exact = NTBBuilder(capacity: 2048, sequence: 0)
        let fits9 = exact.add(Array(repeating: 1, count: 1514))
        #expect(fits9)
        let fits10 = exact.add(Array(repeating: 1, count: 2048 - 12 - 1516 - 20))
        #expect(fits10)
        let bytes = exact.finish(packetSize: 512)
        #expect(bytes.count == 2048)
        #expect(NTBParser().parse(bytes).frames.count == 2)
    }

    /// A block of two frames of sixty bytes, and what one changed field makes of it.
    private static var sample: [UInt8] {
        var builder = NTBBuilder(sequence: 0)
        for byte in [UInt8(1), 2] where !builder.add(Array(repeating: byte, count: 60)) { Issue.record("no room") }
        return builder.finish(packetSize: 512)
    }

    @Test(
        arguments: [
            (0, 0x00, [.header], 0), (4, 13, [.header], 0), (8, 200, [.blockLength], 0), (8, 8, [.blockLength], 0),
            (10, 0, [.table], 0), (10, 133, [.table], 0), (10, 148, [.table], 0), (10, 255, [.table], 0),
            (132, 0, [.table], 0), (136, 12, [.table], 0), (136, 22, [.table], 0), (136, 24, [.table], 0),
            (138, 132, [.tableOverlap], 2), (138, 12, [.table], 2), (138, 136, [.table], 2),
            (140, 140, [.datagram], 1), (140, 8, [.datagram], 1), (143, 0xFF, [.datagram], 1),
            (142, 13, [.frameLength], 1), (140, 0, [], 0), (142, 0, [], 0), (144, 12, [], 2),
            (142, 138, [.tooMuch], 1), (8, 0, [], 2),
        ] as [(Int, UInt8, [NTBParser.Fault], Int)])
    func refusesALie(place: Int, value: UInt8, faults: [NTBParser.Fault], frames: Int) {
        var bytes = Self.sample
        #expect(bytes.count == 152)
        bytes[place] = value
        let block = NTBParser().parse(bytes)
        #expect(block.faults == faults)
        #expect(block.frames.count == frames)
    }

    @Test func refusesTheOtherFormatAndAWrongChecksum() {
        #expect(NTBParser(format: .ntb32).parse(Self.sample).faults == [.header])
        var builder = NTBBuilder(appendsCRC: true, sequence: 0)
        let fits11 = builder.add(Array(repeating: 7, count: 60))
        #expect(fits11)
        var bytes = builder.finish(packetSize: 512)
        bytes[20] ^= 1
        #expect(NTBParser().parse(bytes) == .init(frames: [], faults: [.checksum]))
        #expect(EthernetCRC.of(Array("123456789".utf8)) == 0xCBF4_3926)
    }

    /// Many pointers to one datagram bring no more bytes than the block has.
    @Test func doesNotMultiplyWhatABlockCarries() {
        var bytes = [UInt8](repeating: 0, count: 32768)
        bytes.replaceSubrange(0..<12, with: [0x4E, 0x43, 0x4D, 0x48, 12, 0, 0, 0, 0, 0x80, 0x00, 0x10])
        bytes.replaceSubrange(4096..<4104, with: [0x4E, 0x43, 0x4D, 0x30, 0x00, 0x60, 0, 0])
        for entry in stride(from: 4104, to: 4096 + 0x6000, by: 4) {
            bytes.replaceSubrange(entry..<entry + 4, with: [12, 0, 0xEA, 0x05])
        }
        let block = NTBParser().parse(bytes)
        #expect(block.frames.count == 32768 / 1514)
        #expect(block.faults == [.tooMuch])
    }

    /// Blocks that were good once, with bytes changed, cut and joined at random: nothing traps, limits hold.
    @Test(arguments: [NTBFormat.ntb16, .ntb32])
    func survivesRandomBlocks(format: NTBFormat) {
        var random = SplitMix(state: 0x2F17)
        let parser = NTBParser(format: format)
        for round in 0..<20_000 {
            var bytes: [UInt8]
            if round % 4 == 0 {
                bytes = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            } else {
                var builder = NTBBuilder(format: format, appendsCRC: round % 3 == 0, sequence: 0)
                for _ in 0..<random.next() % 6 {
                    _ = builder.add(Array(repeating: 1, count: Int(14 + random.next() % 100)))
                }
                bytes = builder.finish(packetSize: 64)
                for _ in 0..<1 + random.next() % 6 {
                    let place = Int(random.next() % UInt64(bytes.count))
                    bytes[place] = random.next() % 2 == 0 ? UInt8(truncatingIfNeeded: random.next()) : 0xFF
                }
                if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            }
            let block = parser.parse(bytes)
            #expect(block.frames.reduce(0) { $0 + $1.count } <= bytes.count)
            #expect(block.frames.allSatisfy { (14...1514).contains($0.count) })
        }
    }

    @Test func filtersAsTheHostAsks() {
        let unicast: [UInt8] = [2, 0, 0, 0, 0, 1, 0, 0]
        let multicast: [UInt8] = [0x33, 0x33, 0, 0, 0, 1, 0, 0]
        let broadcast = [UInt8](repeating: 0xFF, count: 8)
        func admitted(_ filter: EthernetPacketFilter) -> [Bool] {
            [unicast, multicast, broadcast].map(filter.admits)
        }
        #expect(admitted([]) == [false, false, false])
        #expect(admitted(.promiscuous) == [true, true, true])
        #expect(admitted([.directed, .broadcast]) == [true, false, true])
        #expect(admitted(.allMulticast) == [false, true, false])
        #expect(admitted(.multicast) == [false, true, false])
    }

    @Test func describesTheFunction() {
        #expect(NCM.parameters.count == 28)
        #expect(NCM.descriptors(firstInterface: 3)[1] == [5, 0x24, 6, 3, 4])
        #expect(NCM.networkConnection(true, interface: 2) == [0xA1, 0, 1, 0, 2, 0, 0, 0])
        #expect(
            NCM.connectionSpeedChange(480_000_000, interface: 2)
                == [0xA1, 0x2A, 0, 0, 2, 0, 8, 0, 0, 0x38, 0x9C, 0x1C, 0, 0x38, 0x9C, 0x1C])
    }
}

/// Random numbers that are the same in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

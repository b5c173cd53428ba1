import NIOCore
import Testing
import USBRedirection

@Suite("usbredir codec: hostile bytes")
struct CodecHostileTests {
    private let inForce = Capabilities.offeredByHost

    private func decode(
        type: UInt32, length: UInt32, body: [UInt8] = [], from sender: Side = .guest, _ capabilities: Capabilities?
    ) throws(RedirectionError) -> Message? {
        var decoder = PacketDecoder(sender: sender)
        decoder.capabilities = capabilities
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(type, length, endianness: .little)
        buffer.writeRepeatingByte(0, count: capabilities?.contains(.ids64Bit) ?? false ? 8 : 4)
        buffer.writeBytes(body)
        return try decoder.next(from: &buffer)
    }

    @Test func anUnknownTypeIsNamed() {
        #expect(throws: RedirectionError.unknownPacketType(28)) { try decode(type: 28, length: 0, inForce) }
        #expect(throws: RedirectionError.unknownPacketType(.max)) { try decode(type: .max, length: 0, nil) }
        #expect(RedirectionError.unknownPacketType(28).description == "usbredir: unknown packet type 28")
    }

    @Test func anythingBeforeHelloIsRefused() {
        for type in PacketType.allCases where type != .hello {
            #expect(throws: RedirectionError.helloExpected(found: type)) {
                try decode(type: type.rawValue, length: 0, nil)
            }
        }
    }

    @Test func packetsOfTheOtherSideAreRefused() {
        for type in PacketType.allCases where type.sender != nil {
            #expect(throws: RedirectionError.wrongSender(type)) {
                try decode(
                    type: type.rawValue, length: 0, from: type.sender == .host ? .guest : .host,
                    Capabilities(rawValue: 0xFF))
            }
        }
    }

    @Test func packetsOfACapabilityNotInForceAreRefused() {
        for type in PacketType.allCases where !type.requiredCapability.isEmpty && type.sender != .host {
            #expect(throws: RedirectionError.capabilityNotInForce(type, needed: type.requiredCapability)) {
                try decode(type: type.rawValue, length: 4, [])
            }
        }
    }

    @Test func everyTypeHasALeastAndAGreatestLengthJudgedBeforeItsBodyComes() throws {
        let all = Capabilities(rawValue: 0xFF)
        let limits = PacketLimits()
        for type in PacketType.allCases {
            let allowed = limits.bodyLength(of: type, capabilities: all)
            let sender = type.sender ?? .guest
            var wrong: [Int] = [allowed.upperBound + 1, Int(UInt32.max)]
            if allowed.lowerBound > 0 { wrong.append(allowed.lowerBound - 1) }
            for length in wrong {
                #expect(throws: RedirectionError.badLength(type, length: length, allowed: allowed)) {
                    try decode(type: type.rawValue, length: UInt32(length), from: sender, all)
                }
            }
            // The greatest is waited for, without its bytes.
            if allowed.upperBound > 0 {
                #expect(try decode(type: type.rawValue, length: UInt32(allowed.upperBound), from: sender, all) == nil)
            }
        }
    }

    @Test func aHelloWithHalfACapabilityWordIsRefused() {
        #expect(throws: RedirectionError.self) {
            try decode(type: 0, length: 66, body: Array(repeating: 0, count: 66), nil)
        }
    }

    @Test func attachedDataMustBeAsLongAsClaimed() {
        // Bulk OUT 3 bytes claimed, 2 attached; bulk IN with data from the guest; control OUT without its data.
        #expect(throws: RedirectionError.dataLengthMismatch(.bulkPacket, endpoint: 1, claimed: 3, attached: 2)) {
            try decode(type: 101, length: 12, body: [1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 7], inForce)
        }
        #expect(throws: RedirectionError.dataLengthMismatch(.bulkPacket, endpoint: 0x81, claimed: 0, attached: 1)) {
            try decode(type: 101, length: 11, body: [0x81, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7], inForce)
        }
        #expect(throws: RedirectionError.dataLengthMismatch(.controlPacket, endpoint: 0, claimed: 5, attached: 0)) {
            try decode(type: 100, length: 10, body: [0, 9, 0x21, 0, 0, 0, 0, 0, 5, 0], inForce)
        }
        #expect(throws: RedirectionError.dataLengthMismatch(.interruptPacket, endpoint: 2, claimed: 0, attached: 1)) {
            try decode(type: 103, length: 5, body: [2, 0, 0, 0, 9], inForce)
        }
    }

    @Test func aFilterWithoutItsNULOrWithOneInsideIsRefused() {
        for body in [[45, 49], [45, 0, 0], [1]] as [[UInt8]] {
            #expect(throws: RedirectionError.unterminatedFilter) {
                try decode(type: 23, length: UInt32(body.count), body: body, inForce)
            }
        }
    }

    @Test func moreThan32InterfacesAreRefused() {
        #expect(throws: RedirectionError.self) {
            try decode(type: 4, length: 132, body: [33] + Array(repeating: 0, count: 131), from: .host, inForce)
        }
    }
}

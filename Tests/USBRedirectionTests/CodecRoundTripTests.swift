import NIOCore
import Testing
import USBRedirection

@Suite("usbredir codec: what is written is read")
struct CodecRoundTripTests {
    static let everything = Capabilities(rawValue: 0xFF)
    static let bare: Capabilities = [.bulkStreams, .filter, .deviceDisconnectAck, .bulkReceiving]
    static let sets: [Capabilities] = [
        everything, everything.subtracting(.bulkStreams), everything.subtracting(.ids64Bit),
        everything.subtracting(.bulkLength32Bit), everything.subtracting([.connectDeviceVersion, .bulkStreams]),
    ]

    @Test(arguments: sets)
    func everyPacketSurvivesWholeAndByteByByte(_ capabilities: Capabilities) throws {
        for sender in [Side.guest, .host] {
            let all = sender == .guest ? PacketSamples.fromGuest : PacketSamples.fromHost(capabilities)
            let packets = all.filter { capabilities.isSuperset(of: $0.type.requiredCapability) }
            let messages = packets.enumerated().map { Message(UInt64($0.offset) + 0xFFFF_FF00, $0.element) }
            var encoder = PacketEncoder()
            encoder.capabilities = capabilities
            var whole = ByteBuffer()
            for message in messages { encoder.write(message, to: &whole) }

            var decoder = PacketDecoder(sender: sender)
            decoder.capabilities = capabilities
            var copy = whole
            var decoded: [Message] = []
            while let message = try decoder.next(from: &copy) { decoded.append(message) }
            #expect(decoded == messages)
            #expect(copy.readableBytes == 0)

            var dribble = ByteBuffer()
            decoded = []
            for byte in whole.readableBytesView {
                dribble.writeInteger(byte)
                while let message = try decoder.next(from: &dribble) { decoded.append(message) }
            }
            #expect(decoded == messages)
        }
    }

    @Test func everyPacketTypeHasASample() {
        let sampled = (PacketSamples.fromGuest + PacketSamples.fromHost(Self.everything)).map(\.type)
        #expect(Set(sampled).union([.hello]) == Set(PacketType.allCases))
    }

    @Test func idsAreCutTo32BitsWithoutTheCapability() throws {
        for (capabilities, expected) in [(Capabilities.ids64Bit, 0x1_0000_0002), ([], 2)] as [(Capabilities, UInt64)] {
            var encoder = PacketEncoder()
            encoder.capabilities = capabilities
            var decoder = PacketDecoder(sender: .guest)
            decoder.capabilities = capabilities
            var buffer = ByteBuffer()
            encoder.write(Message(0x1_0000_0002, .cancelDataPacket), to: &buffer)
            #expect(try decoder.next(from: &buffer)?.id == expected)
        }
    }

    @Test func helloIsAlwaysIn32BitFormAndItsLaterWordsAreIgnored() throws {
        var buffer = ByteBuffer()
        PacketEncoder().write(Message(0, .hello(Hello(version: "x", capabilities: .offeredByQEMU))), to: &buffer)
        #expect(buffer.readableBytes == 12 + 64 + 4)
        buffer.setInteger(UInt32(72), at: 4, endianness: .little)
        buffer.writeInteger(UInt32.max)
        var decoder = PacketDecoder(sender: .guest)
        let message = try #require(try decoder.next(from: &buffer))
        #expect(message.packet == .hello(Hello(version: "x", capabilities: .offeredByQEMU)))
    }

    @Test func aVersionTextCannotCarryTerminalEscapes() throws {
        var buffer = ByteBuffer()
        PacketEncoder().write(
            Message(0, .hello(Hello(version: "a\u{1B}[2Jé" + String(repeating: "z", count: 99), capabilities: []))),
            to: &buffer)
        var decoder = PacketDecoder(sender: .host)
        guard case .hello(let hello)? = try decoder.next(from: &buffer)?.packet else {
            Issue.record("no hello")
            return
        }
        #expect(hello.version.hasPrefix("a?[2J??zz"))
        #expect(hello.version.utf8.count == 63)
    }

    @Test func capabilitiesInForceAreWhatBothOffer() {
        let inForce = Capabilities.offeredByHost.negotiated(with: .offeredByQEMU)
        #expect(
            inForce == [
                .connectDeviceVersion, .filter, .deviceDisconnectAck, .endpointInfoMaxPacketSize, .ids64Bit,
                .bulkLength32Bit,
            ])
        // Bulk streams stand on the packet sizes of ep_info.
        #expect(Capabilities.bulkStreams.negotiated(with: .bulkStreams) == [])
    }
}

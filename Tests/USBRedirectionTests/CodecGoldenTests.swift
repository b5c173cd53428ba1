import NIOCore
import Testing
import USBRedirection

@Suite("usbredir codec: bytes of the protocol text")
struct CodecGoldenTests {
    private func bytes(_ message: Message, _ capabilities: Capabilities?) -> [UInt8] {
        var encoder = PacketEncoder()
        encoder.capabilities = capabilities
        var buffer = ByteBuffer()
        encoder.write(message, to: &buffer)
        return Array(buffer.readableBytesView)
    }

    private let qemu = Capabilities.offeredByHost.negotiated(with: .offeredByQEMU)

    @Test func hello() {
        let bytes = bytes(Message(0, .hello(Hello(version: "2Virt", capabilities: .offeredByHost))), nil)
        #expect(Array(bytes[..<12]) == [0, 0, 0, 0, 68, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[12..<18]) == Array("2Virt".utf8) + [0])
        #expect(Array(bytes[76...]) == [0x7E, 0, 0, 0])
    }

    @Test func deviceConnectIsTenBytesWithItsVersionAndEightWithout() {
        let packet = Packet.deviceConnect(
            DeviceConnect(
                speed: 3, deviceClass: 1, deviceSubClass: 2, deviceProtocol: 3, idVendor: 0x1209, idProduct: 0xABCD,
                deviceRelease: 0x0201))
        #expect(
            bytes(Message(0, packet), qemu) == [
                1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 0x09, 0x12, 0xCD, 0xAB, 0x01, 0x02,
            ])
        #expect(
            bytes(Message(0, packet), []) == [1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 0x09, 0x12, 0xCD, 0xAB])
    }

    @Test func controlPacketHasRequestBeforeRequestType() {
        let packet = Packet.controlPacket(
            ControlPacket(
                endpoint: 0x80, request: 6, requestType: 0x81, status: .babble, value: 0x2200, index: 0x0102,
                length: 2, data: [0xAA, 0xBB]))
        #expect(
            bytes(Message(0x1122_3344_5566_7788, packet), qemu) == [
                100, 0, 0, 0, 12, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
                0x80, 6, 0x81, 6, 0x00, 0x22, 0x02, 0x01, 2, 0, 0xAA, 0xBB,
            ])
    }

    @Test func bulkLengthHasItsHighHalfLast() {
        let packet = Packet.bulkPacket(BulkPacket(endpoint: 0x81, length: 0x0012_3456, stream: 0x0A0B_0C0D))
        #expect(
            Array(bytes(Message(1, packet), qemu)[16...]) == [
                0x81, 0, 0x56, 0x34, 0x0D, 0x0C, 0x0B, 0x0A, 0x12, 0x00,
            ])
        #expect(Array(bytes(Message(1, packet), [])[12...]) == [0x81, 0, 0x56, 0x34, 0x0D, 0x0C, 0x0B, 0x0A])
    }

    @Test func endpointInfoTailsFollowTheCapabilities() {
        let sizes: [(Capabilities, Int)] = [
            ([], 96), (.endpointInfoMaxPacketSize, 160), ([.endpointInfoMaxPacketSize, .bulkStreams], 288),
        ]
        for (capabilities, size) in sizes {
            #expect(bytes(Message(0, .endpointInfo(EndpointInfo())), capabilities).count == 12 + size)
        }
    }

    @Test func aFilterEndsInNUL() {
        #expect(bytes(Message(0, .filterFilter("-1")), .filter) == [23, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 45, 49, 0])
    }
}

import Testing
import USBCore

/// Configuration descriptors as devices of the trade send them.
@Suite struct RealDeviceTests {
    /// CDC-ACM of an Arduino Uno's 16U2 bridge, as `lsusb -v` shows it: 62 bytes.
    static let serial: [UInt8] = hex(
        """
        09 02 3e 00 02 01 00 c0 32
        09 04 00 00 01 02 02 01 00  05 24 00 10 01  04 24 02 06  05 24 06 00 01  07 05 82 03 08 00 ff
        09 04 01 00 02 0a 00 00 00  07 05 04 02 40 00 01  07 05 83 02 40 00 01
        """)

    /// USB audio class 1.0 speaker: an alternate setting without bandwidth, 9-byte endpoint, class endpoint descriptor.
    static let speaker: [UInt8] = hex(
        """
        09 02 6e 00 02 01 00 80 32
        09 04 00 00 00 01 01 00 00
        09 24 01 00 01 28 00 01 01  0c 24 02 01 01 01 00 02 03 00 00 00  0a 24 06 02 01 01 01 02 02 00
        09 24 03 03 01 03 00 02 00
        09 04 01 00 00 01 02 00 00
        09 04 01 01 01 01 02 00 00
        07 24 01 01 01 01 00  0b 24 02 01 02 02 10 01 80 bb 00
        09 05 01 09 c0 00 01 00 00  07 25 01 01 01 01 00
        """)

    /// SuperSpeed disk with bulk-only and UAS (four pipes, companions, pipe usage descriptors) settings: 121 bytes.
    static let disk: [UInt8] = hex(
        """
        09 02 79 00 01 01 00 80 70
        09 04 00 00 02 08 06 50 00
        07 05 81 02 00 04 00  06 30 0f 00 00 00  07 05 02 02 00 04 00  06 30 0f 00 00 00
        09 04 00 01 04 08 06 62 00
        07 05 81 02 00 04 00  06 30 0f 05 00 00  04 24 03 00
        07 05 02 02 00 04 00  06 30 0f 05 00 00  04 24 04 00
        07 05 83 02 00 04 00  06 30 0f 05 00 00  04 24 02 00
        07 05 04 02 00 04 00  06 30 00 00 00 00  04 24 01 00
        """)

    static func hex(_ text: String) -> [UInt8] {
        text.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
    }

    @Test func theFixturesHaveTheLengthTheyClaim() {
        for bytes in [Self.serial, Self.speaker, Self.disk] {
            #expect(Int(bytes[2]) | Int(bytes[3]) << 8 == bytes.count)
        }
    }

    @Test func bytesComeBack() throws {
        for bytes in [Self.serial, Self.speaker, Self.disk] {
            #expect(try ConfigurationDescriptor(parsing: bytes).bytes == bytes)
        }
    }

    @Test func serialPort() throws {
        let configuration = try ConfigurationDescriptor(parsing: Self.serial)
        #expect(configuration.interfaceCount == 2)
        #expect(configuration.interfaces[0].classDescriptors.map { $0[2] } == [0, 2, 6])
        let endpoints = configuration.interfaces.flatMap(\.endpoints)
        #expect(endpoints.map(\.address.description) == ["82", "04", "83"])
        #expect(endpoints.map(\.type) == [.interrupt, .bulk, .bulk])
        #expect(endpoints[0].intervalUnits(at: .full) == 255)
    }

    @Test func audioSpeaker() throws {
        let configuration = try ConfigurationDescriptor(parsing: Self.speaker)
        #expect(configuration.interfaceCount == 2)
        #expect(configuration.interfaces.map(\.alternateSetting) == [0, 0, 1])
        let endpoint = try #require(configuration.interfaces[2].endpoints.first)
        #expect(endpoint.type == .isochronous)
        #expect(endpoint.maxPacketSize == 192)
        #expect(endpoint.extra == [0, 0])
        #expect(endpoint.classDescriptors == [[7, 0x25, 1, 1, 1, 1, 0]])
        #expect(configuration.interfaces[0].classDescriptors.count == 4)
    }

    @Test func superSpeedDisk() throws {
        let configuration = try ConfigurationDescriptor(parsing: Self.disk)
        #expect(configuration.interfaceCount == 1)
        let uas = configuration.interfaces[1]
        #expect(uas.endpoints.map { $0.classDescriptors.first?[2] } == [3, 4, 2, 1])
        #expect(uas.endpoints.map { $0.companion?.maxBurst } == [15, 15, 15, 0])
        #expect(uas.endpoints[0].companion?.attributes == 5)
        #expect(uas.endpoints[0].maxPacketSize == 1024)
    }

    @Test func otherSpeedDiffersInItsTypeOnly() throws {
        let configuration = try ConfigurationDescriptor(parsing: Self.serial)
        var expected = Self.serial
        expected[1] = 7
        #expect(configuration.otherSpeedBytes == expected)
    }
}

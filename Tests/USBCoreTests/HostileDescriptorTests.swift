import Testing
import USBCore

@Suite struct HostileDescriptorTests {
    private let serial = RealDeviceTests.serial

    @Test func shortDeviceDescriptors() {
        let whole: [UInt8] = [18, 1, 0, 2, 0, 0, 0, 64, 1, 0, 2, 0, 3, 0, 0, 0, 0, 1]
        #expect(throws: DescriptorError.truncated(descriptor: "device", offset: 0, needed: 18, found: 8)) {
            try DeviceDescriptor(parsing: Array(whole[..<8]))
        }
        #expect(throws: DescriptorError.badLength(descriptor: "device", offset: 0, length: 8)) {
            try DeviceDescriptor(parsing: [8] + whole.dropFirst())
        }
        #expect(throws: DescriptorError.wrongType(descriptor: "device", offset: 0, expected: 1, found: 2)) {
            try DeviceDescriptor(parsing: [18, 2] + whole.dropFirst(2))
        }
    }

    @Test func everyTruncationIsAnErrorThatNamesTheLength() {
        for count in 0..<serial.count {
            #expect(throws: DescriptorError.self) { try ConfigurationDescriptor(parsing: Array(serial[..<count])) }
        }
        #expect(throws: DescriptorError.badTotalLength(claimed: 62, found: 61)) {
            try ConfigurationDescriptor(parsing: Array(serial.dropLast()))
        }
    }

    @Test func aLengthOfZeroDoesNotLoop() {
        for position in [9, 18, 23, 32, 39] {
            var bytes = serial
            bytes[position] = 0
            #expect(throws: DescriptorError.badLength(descriptor: "next", offset: position, length: 0)) {
                try ConfigurationDescriptor(parsing: bytes)
            }
        }
    }

    @Test func aTotalLengthThatCutsADescriptor() {
        var bytes = serial
        bytes[2] = 60
        #expect(throws: DescriptorError.truncated(descriptor: "next", offset: 55, needed: 7, found: 5)) {
            try ConfigurationDescriptor(parsing: bytes)
        }
        bytes[2] = 8
        #expect(throws: DescriptorError.badTotalLength(claimed: 8, found: 62)) {
            try ConfigurationDescriptor(parsing: bytes)
        }
    }

    @Test func bytesBehindTheTotalLengthAreNotRead() throws {
        #expect(try ConfigurationDescriptor(parsing: serial + [0, 0, 0xFF]).bytes == serial)
    }

    @Test func anEndpointOfNoInterface() {
        #expect(throws: DescriptorError.orphan(descriptor: "endpoint", offset: 9)) {
            try ConfigurationDescriptor(parsing: [9, 2, 16, 0, 1, 1, 0, 0x80, 50, 7, 5, 0x81, 2, 64, 0, 0])
        }
        #expect(throws: DescriptorError.orphan(descriptor: "endpoint companion", offset: 9)) {
            try ConfigurationDescriptor(parsing: [9, 2, 15, 0, 1, 1, 0, 0x80, 50, 6, 0x30, 0, 0, 0, 0])
        }
    }

    @Test func descriptorsShorterThanTheirTypeAllows() {
        #expect(throws: DescriptorError.badLength(descriptor: "interface", offset: 9, length: 8)) {
            try ConfigurationDescriptor(parsing: [9, 2, 17, 0, 1, 1, 0, 0x80, 50, 8, 4, 0, 0, 0, 0, 0, 0])
        }
        #expect(throws: DescriptorError.badLength(descriptor: "interface association", offset: 9, length: 2)) {
            try ConfigurationDescriptor(parsing: [9, 2, 11, 0, 1, 1, 0, 0x80, 50, 2, 11])
        }
    }

    @Test func errorsSayWhereAndWhat() {
        #expect(
            "\(DescriptorError.truncated(descriptor: "endpoint", offset: 55, needed: 7, found: 5))"
                == "endpoint descriptor at offset 55: 7 bytes needed, 5 found")
    }

    /// Random bytes, and real descriptors with random damage: an error or a value, never a trap; a value parses again.
    @Test func noBytesTrap() {
        var random = SystemRandomNumberGenerator()
        let real = [RealDeviceTests.serial, RealDeviceTests.speaker, RealDeviceTests.disk]
        var parsed = 0
        for round in 0..<20_000 {
            var bytes: [UInt8]
            if round % 2 == 0 {
                bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in .random(in: 0...255, using: &random) }
                if bytes.count > 4 { bytes.replaceSubrange(0..<4, with: [9, 2, UInt8(bytes.count), 0]) }
            } else {
                bytes = real[round / 2 % real.count]
                for _ in 0...Int.random(in: 0...2, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                }
            }
            if let configuration = try? ConfigurationDescriptor(parsing: bytes) {
                parsed += 1
                let again = try? ConfigurationDescriptor(parsing: configuration.bytes)
                #expect(again?.interfaces == configuration.interfaces, "\(bytes)")
                for endpoint in configuration.interfaces.flatMap(\.endpoints) {
                    #expect(Speed.allCases.allSatisfy { endpoint.intervalUnits(at: $0) > 0 })
                    #expect(endpoint.bytesPerInterval >= 0)
                }
            }
            _ = try? DeviceDescriptor(parsing: bytes)
            _ = try? BinaryObjectStore(parsing: bytes)
            _ = try? StringDescriptor.text(parsing: bytes)
        }
        #expect(parsed > 500)
    }
}

import Testing
import USBCore

@Suite struct DescriptorTests {
    @Test func deviceDescriptorBothWays() throws {
        let bytes: [UInt8] = [18, 1, 0x10, 0x02, 0xEF, 2, 1, 64, 0x41, 0x23, 0x43, 0x00, 0x01, 0x02, 1, 2, 220, 1]
        let device = try DeviceDescriptor(parsing: bytes)
        #expect(device.idVendor == 0x2341)
        #expect(device.idProduct == 0x0043)
        #expect(device.deviceRelease == 0x0201)
        #expect(device.serialNumberIndex == 220)
        #expect(device.bytes == bytes)
        #expect(device.qualifierBytes == [10, 6, 0, 2, 0xEF, 2, 1, 64, 1, 0])
    }

    @Test func associationsPrecedeTheirFirstInterfaceOnce() throws {
        let configuration = ConfigurationDescriptor(
            associations: [
                InterfaceAssociation(
                    firstInterface: 1, interfaceCount: 2, functionClass: 2, functionSubClass: 2, functionProtocol: 1)
            ],
            interfaces: [
                InterfaceDescriptor(interfaceNumber: 0, interfaceClass: 3, interfaceSubClass: 0, interfaceProtocol: 0),
                InterfaceDescriptor(interfaceNumber: 1, interfaceClass: 2, interfaceSubClass: 2, interfaceProtocol: 1),
                InterfaceDescriptor(
                    interfaceNumber: 1, alternateSetting: 1, interfaceClass: 2, interfaceSubClass: 2,
                    interfaceProtocol: 1),
                InterfaceDescriptor(interfaceNumber: 2, interfaceClass: 10, interfaceSubClass: 0, interfaceProtocol: 0),
            ])
        let bytes = configuration.bytes
        #expect(bytes[4] == 3)
        #expect(Array(bytes[18..<26]) == [8, 11, 1, 2, 2, 2, 1, 0])
        #expect(bytes.count == 9 + 8 + 4 * 9)
        #expect(try ConfigurationDescriptor(parsing: bytes) == configuration)
    }

    @Test func packetSizesCountTransactionsAndBursts() {
        let highBandwidth = EndpointDescriptor(
            address: EndpointAddress(1, .in), attributes: 1, maxPacketSizeWord: 0x1400, interval: 1)
        #expect(highBandwidth.maxPacketSize == 1024)
        #expect(highBandwidth.bytesPerInterval == 3072)
        let burst = EndpointDescriptor(
            address: EndpointAddress(1, .in), attributes: 1, maxPacketSizeWord: 1024, interval: 1,
            companion: SuperSpeedEndpointCompanion(maxBurst: 15, attributes: 2, bytesPerInterval: 0))
        #expect(burst.bytesPerInterval == 1024 * 16 * 3)
    }

    @Test func intervalsOutOfRangeAreMadeLegal() {
        func endpoint(_ type: TransferType, _ interval: UInt8) -> EndpointDescriptor {
            EndpointDescriptor(
                address: EndpointAddress(1, .in), attributes: type.rawValue, maxPacketSizeWord: 8, interval: interval)
        }
        #expect(endpoint(.interrupt, 0).intervalUnits(at: .full) == 1)
        #expect(endpoint(.interrupt, 0).intervalUnits(at: .high) == 1)
        #expect(endpoint(.interrupt, 255).intervalUnits(at: .high) == 32768)
        #expect(endpoint(.isochronous, 4).intervalUnits(at: .full) == 8)
        #expect(endpoint(.interrupt, 10).intervalUnits(at: .low) == 10)
    }
}

@Suite struct StringDescriptorTests {
    @Test func exactBytes() {
        #expect(StringDescriptor.bytes("aé€") == [8, 3, 0x61, 0, 0xE9, 0, 0xAC, 0x20])
        #expect(StringDescriptor.bytes("") == [2, 3])
        #expect(StringDescriptor.languages([0x0409, 0x0407]) == [6, 3, 9, 4, 7, 4])
        #expect(StringDescriptor.languages([UInt16](repeating: 1, count: 500)).count == 254)
    }

    @Test func textOutsideTheBasicPlaneIsASurrogatePair() throws {
        #expect(StringDescriptor.bytes("🖨") == [6, 3, 0x3D, 0xD8, 0xA8, 0xDD])
        #expect(try StringDescriptor.text(parsing: [6, 3, 0x3D, 0xD8, 0xA8, 0xDD]) == "🖨")
    }

    @Test func longTextIsCutButNotInsideAPair() throws {
        let ascii = String(repeating: "x", count: 300)
        #expect(StringDescriptor.bytes(ascii).count == 254)
        let straddling = String(repeating: "x", count: 125) + "🖨🖨"
        let bytes = StringDescriptor.bytes(straddling)
        #expect(bytes.count == 252)
        #expect(bytes[0] == 252)
        #expect(try StringDescriptor.text(parsing: bytes) == String(repeating: "x", count: 125))
        let fitting = String(repeating: "x", count: 124) + "🖨🖨"
        #expect(StringDescriptor.bytes(fitting).count == 254)
    }

    @Test func brokenTextIsRepaired() throws {
        #expect(try StringDescriptor.text(parsing: [4, 3, 0x3D, 0xD8]) == "\u{FFFD}")
        #expect(try StringDescriptor.text(parsing: [5, 3, 0x61, 0, 0x62]) == "a")
        #expect(try StringDescriptor.text(parsing: [4, 3, 0x61, 0, 0x62, 0]) == "a")
    }

    @Test func hostileStringsAreErrors() {
        #expect(throws: DescriptorError.truncated(descriptor: "string", offset: 0, needed: 2, found: 0)) {
            try StringDescriptor.text(parsing: [])
        }
        #expect(throws: DescriptorError.truncated(descriptor: "string", offset: 0, needed: 6, found: 4)) {
            try StringDescriptor.text(parsing: [6, 3, 0x61, 0])
        }
        #expect(throws: DescriptorError.wrongType(descriptor: "string", offset: 0, expected: 3, found: 4)) {
            try StringDescriptor.text(parsing: [2, 4])
        }
    }
}

@Suite struct BinaryObjectStoreTests {
    @Test func exactBytes() throws {
        let store = BinaryObjectStore(capabilities: [
            BinaryObjectStore.usb20Extension, BinaryObjectStore.superSpeed,
            BinaryObjectStore.microsoftOS20(setLength: 0x00B2, vendorCode: 0x20),
        ])
        let expected: [UInt8] = [
            5, 15, 50, 0, 3, 7, 16, 2, 0, 0, 0, 0, 10, 16, 3, 0, 0x0E, 0, 1, 10, 0xFF, 0x07, 28, 16, 5, 0, 0xDF, 0x60,
            0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C, 0x9C, 0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F, 0, 0, 3, 6, 0xB2, 0,
            0x20, 0,
        ]
        #expect(store.bytes == expected)
        #expect(try BinaryObjectStore(parsing: expected) == store)
    }

    @Test func hostileStoresAreErrors() {
        #expect(throws: DescriptorError.badTotalLength(claimed: 200, found: 5)) {
            try BinaryObjectStore(parsing: [5, 15, 200, 0, 1])
        }
        #expect(throws: DescriptorError.badLength(descriptor: "device capability", offset: 5, length: 0)) {
            try BinaryObjectStore(parsing: [5, 15, 8, 0, 1, 0, 16, 2])
        }
        #expect(throws: DescriptorError.wrongType(descriptor: "device capability", offset: 5, expected: 16, found: 4)) {
            try BinaryObjectStore(parsing: [5, 15, 8, 0, 1, 3, 4, 2])
        }
    }
}

@Suite struct MicrosoftOS20Tests {
    @Test func oneFunctionHasItsIDForTheDevice() {
        let set = MicrosoftOS20(functions: [.init(firstInterface: 0, compatibleID: "WINUSB")], isComposite: false)
        #expect(
            set.bytes == [
                10, 0, 0, 0, 0, 0, 3, 6, 30, 0, 20, 0, 3, 0, 0x57, 0x49, 0x4E, 0x55, 0x53, 0x42, 0, 0, 0, 0, 0, 0, 0, 0,
                0, 0,
            ])
    }

    @Test func functionsOfACompositeDeviceHaveSubsets() {
        let set = MicrosoftOS20(
            functions: [
                .init(firstInterface: 2, compatibleID: "WINUSB"), .init(firstInterface: 5, compatibleID: "WINNCM"),
            ], isComposite: true)
        let name: [UInt8] = [0x57, 0x49, 0x4E, 0x55, 0x53, 0x42]
        let other: [UInt8] = [0x57, 0x49, 0x4E, 0x4E, 0x43, 0x4D]
        let padding = [UInt8](repeating: 0, count: 10)
        let header: [UInt8] = [10, 0, 0, 0, 0, 0, 3, 6, 74, 0, 8, 0, 1, 0, 0, 0, 64, 0]
        let first: [UInt8] = [8, 0, 2, 0, 2, 0, 28, 0, 20, 0, 3, 0]
        let second: [UInt8] = [8, 0, 2, 0, 5, 0, 28, 0, 20, 0, 3, 0]
        #expect(set.bytes == header + first + name + padding + second + other + padding)
    }
}

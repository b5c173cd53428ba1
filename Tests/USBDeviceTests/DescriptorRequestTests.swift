import Testing
import USBCore

@testable import USBDevice

@Suite struct DescriptorRequestTests {
    @Test(arguments: [(Speed.full, 64, 0x0210), (.high, 64, 0x0210), (.super, 9, 0x0320)])
    func deviceDescriptor(speed: Speed, packetSize: Int, release: Int) throws {
        let host = try TestHost([TestFunction.pipe("a")], at: speed, configured: false)
        let bytes = try #require(host.descriptor(DescriptorType.device))
        let device = try DeviceDescriptor(parsing: bytes)
        #expect(device.usbRelease == UInt16(release))
        #expect(device.maxPacketSize0 == UInt8(packetSize))
        #expect(device.deviceClass == 0)
        #expect(device.configurationCount == 1)
        #expect(host.descriptor(DescriptorType.device, length: 8) == Array(bytes[..<8]))
        #expect(host.descriptor(DescriptorType.device, length: 0) == [])
        #expect(host.descriptor(DescriptorType.device, 1) == nil)
    }

    @Test(arguments: [(Speed.full, 64, false), (.high, 512, false), (.super, 1024, true)])
    func configurationDescriptor(speed: Speed, packetSize: Int, hasCompanion: Bool) throws {
        let host = try TestHost([TestFunction.pipe("a"), TestFunction.network("n")], at: speed, configured: false)
        let bytes = try #require(host.descriptor(DescriptorType.configuration))
        let configuration = try ConfigurationDescriptor(parsing: bytes)
        #expect(configuration.bytes == bytes)
        #expect(bytes.count == Int(bytes[2]) | Int(bytes[3]) << 8)
        #expect(configuration.interfaces.map(\.interfaceNumber) == [0, 1, 2, 2])
        #expect(configuration.interfaces.map(\.alternateSetting) == [0, 0, 0, 1])
        #expect(configuration.associations.map(\.firstInterface) == [1])
        #expect(configuration.associations.map(\.interfaceCount) == [2])
        let bulk = configuration.interfaces[0].endpoints
        #expect(bulk.map(\.maxPacketSize) == [packetSize, packetSize])
        #expect(bulk.allSatisfy { ($0.companion != nil) == hasCompanion })
        #expect(host.descriptor(DescriptorType.configuration, length: 9) == Array(bytes[..<9]))
        #expect(host.descriptor(DescriptorType.configuration, 1) == nil)
    }

    @Test(arguments: [(Speed.low, 8), (.full, 8), (.high, 7), (.super, 7)])
    func intervalIsFramesOrAnExponentOfMicroframes(speed: Speed, interval: Int) {
        let declaration = EndpointDeclaration("e", .in, .interrupt, maxPacketSize: 64, intervalMilliseconds: 8)
        let descriptor = declaration.descriptor(address: EndpointAddress(1, .in), at: speed)
        #expect(Int(descriptor.interval) == interval)
        #expect(descriptor.maxPacketSize == (speed == .low ? 8 : 64))
        #expect(descriptor.intervalUnits(at: speed) == (speed < .high ? 8 : 64))
    }

    @Test func strings() throws {
        let host = try TestHost([TestFunction.pipe("web 🖨")], configured: false)
        #expect(host.descriptor(DescriptorType.string) == [4, 3, 0x09, 0x04])
        let texts = try (1...4).map { number in
            try StringDescriptor.text(
                parsing: #require(host.descriptor(DescriptorType.string, UInt8(number), index: 0x0409)))
        }
        #expect(texts == ["2Virt", "Desk", "S1", "web 🖨"])
        #expect(host.descriptor(DescriptorType.string, 5, index: 0x0409) == nil)
        #expect(host.descriptor(DescriptorType.string, 255, index: 0x0409) == nil)
        #expect(host.descriptor(DescriptorType.string, 1, index: 0x0407) == nil)
    }

    @Test func qualifierAndOtherSpeedExistForDevicesOfTwoSpeeds() throws {
        let full = try TestHost([TestFunction.pipe("a")], at: .full, configured: false)
        #expect(full.descriptor(DescriptorType.deviceQualifier) == [10, 6, 0, 2, 0, 0, 0, 64, 1, 0])
        let other = try #require(full.descriptor(DescriptorType.otherSpeedConfiguration))
        #expect(other[1] == DescriptorType.otherSpeedConfiguration)
        let high = try TestHost([TestFunction.pipe("a")], at: .high, configured: false)
        #expect(
            Array(other.dropFirst(2)) == high.descriptor(DescriptorType.configuration).map { Array($0.dropFirst(2)) })
        #expect(high.descriptor(DescriptorType.deviceQualifier)?.count == 10)
    }

    @Test func qualifierStallsWithoutAnotherSpeed() throws {
        let fullOnly = try TestHost([TestFunction.pipe("a")], speeds: [.full], at: .full, configured: false)
        #expect(fullOnly.descriptor(DescriptorType.deviceQualifier) == nil)
        #expect(fullOnly.descriptor(DescriptorType.otherSpeedConfiguration) == nil)
        let superSpeed = try TestHost([TestFunction.pipe("a")], at: .super, configured: false)
        #expect(superSpeed.descriptor(DescriptorType.deviceQualifier) == nil)
    }

    @Test func binaryObjectStore() throws {
        let plain = try TestHost([TestFunction.pipe("a")], configured: false)
        #expect(plain.descriptor(DescriptorType.binaryObjectStore) == [5, 15, 12, 0, 1, 7, 16, 2, 0, 0, 0, 0])
        let rich = try TestHost([TestFunction.pipe("a", compatibleID: "WINUSB")], at: .super, configured: false)
        let bytes = try #require(rich.descriptor(DescriptorType.binaryObjectStore))
        let store = try BinaryObjectStore(parsing: bytes)
        #expect(store.capabilities.map { $0[2] } == [2, 3, 5])
        #expect(rich.descriptor(DescriptorType.binaryObjectStore, length: 5) == Array(bytes[..<5]))
    }

    @Test func microsoftSetIsReadByTheVendorRequestThatTheStoreNames() throws {
        let host = try TestHost(
            [TestFunction.pipe("a"), TestFunction.pipe("b", compatibleID: "WINUSB")], configured: false)
        let store = try BinaryObjectStore(parsing: #require(host.descriptor(DescriptorType.binaryObjectStore)))
        let platform = try #require(store.capabilities.last)
        let set = host.request(.in, .vendor, .device, platform[26], index: 7)
        #expect(set.status == .success)
        #expect(set.data.count == Int(platform[24]) | Int(platform[25]) << 8)
        #expect(
            set.data
                == MicrosoftOS20(
                    functions: [.init(firstInterface: 1, compatibleID: "WINUSB")], isComposite: true
                ).bytes)
        #expect(host.request(.in, .vendor, .device, platform[26], index: 4).status == .stall)
        #expect(host.request(.in, .vendor, .device, platform[26], index: 7, length: 10).data.count == 10)
    }

    @Test func microsoftRequestStallsWithoutCompatibleIDs() throws {
        let host = try TestHost([TestFunction.pipe("a")], configured: false)
        #expect(host.request(.in, .vendor, .device, 0x20, index: 7).status == .stall)
    }

    @Test func unknownDescriptorsStall() throws {
        let host = try TestHost([TestFunction.pipe("a")], configured: false)
        for type in [UInt8(0), 4, 5, 8, 9, 0x21, 0x29, 0xFF] { #expect(host.descriptor(type) == nil) }
    }

    @Test func readingDescriptorsIsReportedOnceABusReset() throws {
        let host = try TestHost([TestFunction.pipe("a")], configured: false)
        for _ in 0..<3 { _ = host.descriptor(DescriptorType.device) }
        #expect(host.changes == [.enumerating])
        host.port.busReset()
        _ = host.descriptor(DescriptorType.device)
        #expect(host.changes == [.enumerating, .enumerating])
    }

    @Test func everyLengthIsCutToWLength() throws {
        let host = try TestHost([TestFunction.pipe("a"), TestFunction.network("n")], configured: false)
        let whole = try #require(host.descriptor(DescriptorType.configuration))
        for length in 0...whole.count + 1 {
            #expect(
                host.descriptor(DescriptorType.configuration, length: UInt16(length)) == Array(whole.prefix(length)))
        }
    }
}

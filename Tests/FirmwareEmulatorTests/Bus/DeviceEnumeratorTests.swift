import Testing
import USBCore

@testable import FirmwareEmulator

@Suite struct DeviceEnumeratorTests {
    static let device: [UInt8] = [18, 1, 0, 2, 255, 0, 0, 64, 9, 18, 1, 0, 0, 1, 0, 0, 0, 1]

    /// The device's configuration descriptor claims `claimed` bytes and is `bytes`.
    func enumerate(claimed: UInt16, bytes: [UInt8]) -> DeviceEnumerator.Next {
        var bytes = bytes
        bytes[2] = UInt8(claimed & 0xFF)
        bytes[3] = UInt8(claimed >> 8)
        var enumerator = DeviceEnumerator()
        _ = enumerator.next(after: Array(Self.device.prefix(8)))
        _ = enumerator.next(after: Self.device)
        _ = enumerator.next(after: Array(bytes.prefix(9)))
        return enumerator.next(after: bytes)
    }

    static let configuration: [UInt8] = [
        9, 2, 0, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 1, 255, 0, 0, 0, 7, 5, 0x81, 2, 64, 0, 0,
    ]

    @Test(arguments: [25, 39, 273, 65535] as [UInt16]) func whatADeviceGivesIsTakenWhateverItClaims(claimed: UInt16) {
        guard case .done(let device) = enumerate(claimed: claimed, bytes: Self.configuration) else {
            Issue.record("not enumerated")
            return
        }
        #expect(device.enumeration.configurations.first?.interfaces.first?.endpoints.count == 1)
    }

    @Test func aDescriptorThatIsCutInTheMiddleIsRefused() {
        let next = enumerate(claimed: 25, bytes: Array(Self.configuration.dropLast(2)))
        guard case .failed(let reason) = next else {
            Issue.record("\(next)")
            return
        }
        #expect(reason.contains("offset 18: 7 bytes needed, 5 found"))
    }
}

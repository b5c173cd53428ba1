/// Binary device object store and its device capabilities (USB 3.2 section 9.6.2).
public struct BinaryObjectStore: Sendable, Equatable {
    /// Whole device capability descriptors.
    public var capabilities: [[UInt8]]

    public init(capabilities: [[UInt8]]) {
        self.capabilities = capabilities
    }

    public var bytes: [UInt8] {
        let body = capabilities.flatMap { $0 }
        var out: [UInt8] = [5, DescriptorType.binaryObjectStore]
        out.append(little: UInt16(clamping: 5 + body.count))
        out.append(UInt8(truncatingIfNeeded: capabilities.count))
        return out + body
    }

    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        let header = try DescriptorBytes(
            "binary object store", type: DescriptorType.binaryObjectStore, minimum: 5, in: bytes, at: 0)
        let total = Int(header.word(2))
        guard total >= header.bytes.count, total <= bytes.count else {
            throw .badTotalLength(claimed: total, found: bytes.count)
        }
        capabilities = []
        let all = Array(bytes[..<total])
        var offset = header.bytes.count
        while offset < total {
            let raw = try DescriptorBytes(
                "device capability", type: DescriptorType.deviceCapability, minimum: 3, in: all, at: offset)
            capabilities.append(Array(raw.bytes))
            offset += raw.bytes.count
        }
    }

    /// USB 2.0 extension: link power management is not offered (USB 3.2 section 9.6.2.1).
    public static let usb20Extension: [UInt8] = [7, DescriptorType.deviceCapability, 2, 0, 0, 0, 0]

    /// SuperSpeed USB device capability: full, high and super speed, all functions from full speed up (USB 3.2 section 9.6.2.2).
    public static let superSpeed: [UInt8] = [10, DescriptorType.deviceCapability, 3, 0, 0x0E, 0, 1, 10, 0xFF, 0x07]

    /// Platform capability that announces a Microsoft OS 2.0 descriptor set (Microsoft OS 2.0 descriptors, table 4).
    public static func microsoftOS20(setLength: UInt16, vendorCode: UInt8) -> [UInt8] {
        var out: [UInt8] = [28, DescriptorType.deviceCapability, 5, 0]
        out += [
            0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C, 0x9C, 0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F,
        ]
        out.append(little: 0x0603_0000 as UInt32)
        out.append(little: setLength)
        out += [vendorCode, 0]
        return out
    }
}

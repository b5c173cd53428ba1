/// bDescriptorType (USB 2.0 table 9-5, USB 3.2 table 9-6, interface association ECN).
public enum DescriptorType {
    public static let device: UInt8 = 1
    public static let configuration: UInt8 = 2
    public static let string: UInt8 = 3
    public static let interface: UInt8 = 4
    public static let endpoint: UInt8 = 5
    public static let deviceQualifier: UInt8 = 6
    public static let otherSpeedConfiguration: UInt8 = 7
    public static let interfaceAssociation: UInt8 = 11
    public static let binaryObjectStore: UInt8 = 15
    public static let deviceCapability: UInt8 = 16
    public static let superSpeedEndpointCompanion: UInt8 = 48
    /// Class-specific interface descriptor.
    public static let classInterface: UInt8 = 0x24
    /// Class-specific endpoint descriptor.
    public static let classEndpoint: UInt8 = 0x25
}

/// Why bytes are not the descriptor they claim to be.
public enum DescriptorError: Error, Equatable, CustomStringConvertible {
    /// Fewer bytes than bLength or the type's minimum asks for.
    case truncated(descriptor: String, offset: Int, needed: Int, found: Int)
    case wrongType(descriptor: String, offset: Int, expected: UInt8, found: UInt8)
    /// bLength below the type's minimum, or 0.
    case badLength(descriptor: String, offset: Int, length: Int)
    /// An endpoint or companion before any interface or endpoint it could belong to.
    case orphan(descriptor: String, offset: Int)
    /// wTotalLength does not fit the bytes.
    case badTotalLength(claimed: Int, found: Int)

    public var description: String {
        switch self {
        case .truncated(let name, let offset, let needed, let found):
            "\(name) descriptor at offset \(offset): \(needed) bytes needed, \(found) found"
        case .wrongType(let name, let offset, let expected, let found):
            "\(name) descriptor at offset \(offset): bDescriptorType \(found) where \(expected) is expected"
        case .badLength(let name, let offset, let length):
            "\(name) descriptor at offset \(offset): bLength \(length) is too small"
        case .orphan(let name, let offset):
            "\(name) descriptor at offset \(offset) belongs to nothing before it"
        case .badTotalLength(let claimed, let found):
            "configuration descriptor: wTotalLength \(claimed), but \(found) bytes"
        }
    }
}

extension [UInt8] {
    /// Appends a 16-bit number, little endian.
    mutating func append(little value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    /// Appends a 32-bit number, little endian.
    mutating func append(little value: UInt32) {
        append(little: UInt16(truncatingIfNeeded: value))
        append(little: UInt16(truncatingIfNeeded: value >> 16))
    }
}

/// Bounds-checked reading of one descriptor.
struct DescriptorBytes {
    let name: String
    let offset: Int
    let bytes: ArraySlice<UInt8>

    /// The descriptor that starts at `offset`, cut to its bLength.
    init(
        _ name: String, type: UInt8? = nil, minimum: Int, in all: [UInt8], at offset: Int
    ) throws(DescriptorError) {
        guard offset >= 0, all.count - offset >= 2 else {
            throw .truncated(descriptor: name, offset: offset, needed: 2, found: Swift.max(0, all.count - offset))
        }
        let length = Int(all[offset])
        guard length >= minimum, length >= 2 else { throw .badLength(descriptor: name, offset: offset, length: length) }
        guard all.count - offset >= length else {
            throw .truncated(descriptor: name, offset: offset, needed: length, found: all.count - offset)
        }
        if let type, all[offset + 1] != type {
            throw .wrongType(descriptor: name, offset: offset, expected: type, found: all[offset + 1])
        }
        self.name = name
        self.offset = offset
        bytes = all[offset..<offset + length]
    }

    /// Callers stay below the minimum that `init` has checked.
    subscript(position: Int) -> UInt8 { bytes[bytes.startIndex + position] }
    func word(_ position: Int) -> UInt16 { UInt16(self[position]) | UInt16(self[position + 1]) << 8 }
}

/// Configuration descriptor with everything under it (USB 2.0 table 9-10): one vocabulary to build and to parse.
public struct ConfigurationDescriptor: Sendable, Equatable {
    public var configurationValue: UInt8
    public var stringIndex: UInt8
    /// bmAttributes: bit 7 always set, 6 self-powered, 5 remote wake-up.
    public var attributes: UInt8
    /// bMaxPower as it stands: units of 2 mA, or 8 mA at super speed.
    public var maxPower: UInt8
    public var associations: [InterfaceAssociation]
    /// All alternate settings, in descriptor order.
    public var interfaces: [InterfaceDescriptor]

    public init(
        configurationValue: UInt8 = 1, stringIndex: UInt8 = 0, attributes: UInt8 = 0xC0, maxPower: UInt8 = 0,
        associations: [InterfaceAssociation] = [], interfaces: [InterfaceDescriptor] = []
    ) {
        self.configurationValue = configurationValue
        self.stringIndex = stringIndex
        self.attributes = attributes
        self.maxPower = maxPower
        self.associations = associations
        self.interfaces = interfaces
    }

    /// bNumInterfaces: distinct interface numbers.
    public var interfaceCount: Int { Set(interfaces.map(\.interfaceNumber)).count }

    public var bytes: [UInt8] { bytes(type: DescriptorType.configuration) }

    /// The same as an other-speed configuration (USB 2.0 section 9.6.4).
    public var otherSpeedBytes: [UInt8] { bytes(type: DescriptorType.otherSpeedConfiguration) }

    private func bytes(type: UInt8) -> [UInt8] {
        var body: [UInt8] = []
        var announced: Set<UInt8> = []
        for interface in interfaces {
            for association in associations
            where association.firstInterface == interface.interfaceNumber
                && announced.insert(association.firstInterface).inserted
            {
                body += association.bytes
            }
            body += interface.bytes
        }
        var out: [UInt8] = [9, type]
        out.append(little: UInt16(clamping: 9 + body.count))
        out += [
            UInt8(truncatingIfNeeded: interfaceCount), configurationValue, stringIndex, attributes | 0x80, maxPower,
        ]
        return out + body
    }

    /// Parses a whole configuration; unknown descriptors are kept with the interface or endpoint they follow.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        let header = try DescriptorBytes(
            "configuration", type: DescriptorType.configuration, minimum: 9, in: bytes, at: 0)
        let total = Int(header.word(2))
        guard total >= header.bytes.count, total <= bytes.count else {
            throw .badTotalLength(claimed: total, found: bytes.count)
        }
        self.init(
            configurationValue: header[5], stringIndex: header[6], attributes: header[7], maxPower: header[8])
        let all = Array(bytes[..<total])
        var offset = header.bytes.count
        while offset < total {
            let raw = try DescriptorBytes("next", minimum: 2, in: all, at: offset)
            try take(raw, from: all)
            offset += raw.bytes.count
        }
    }

    private mutating func take(_ raw: DescriptorBytes, from all: [UInt8]) throws(DescriptorError) {
        let offset = raw.offset
        switch raw[1] {
        case DescriptorType.interfaceAssociation:
            let raw = try DescriptorBytes("interface association", minimum: 8, in: all, at: offset)
            associations.append(
                InterfaceAssociation(
                    firstInterface: raw[2], interfaceCount: raw[3], functionClass: raw[4], functionSubClass: raw[5],
                    functionProtocol: raw[6], stringIndex: raw[7]))
        case DescriptorType.interface:
            let raw = try DescriptorBytes("interface", minimum: 9, in: all, at: offset)
            interfaces.append(
                InterfaceDescriptor(
                    interfaceNumber: raw[2], alternateSetting: raw[3], interfaceClass: raw[5],
                    interfaceSubClass: raw[6], interfaceProtocol: raw[7], stringIndex: raw[8]))
        case DescriptorType.endpoint:
            let raw = try DescriptorBytes("endpoint", minimum: 7, in: all, at: offset)
            guard !interfaces.isEmpty else { throw .orphan(descriptor: "endpoint", offset: offset) }
            interfaces[interfaces.count - 1].endpoints.append(
                EndpointDescriptor(
                    address: EndpointAddress(rawValue: raw[2]), attributes: raw[3], maxPacketSizeWord: raw.word(4),
                    interval: raw[6], extra: Array(raw.bytes.dropFirst(7))))
        case DescriptorType.superSpeedEndpointCompanion:
            let raw = try DescriptorBytes("endpoint companion", minimum: 6, in: all, at: offset)
            guard let last = interfaces.indices.last, let endpoint = interfaces[last].endpoints.indices.last else {
                throw .orphan(descriptor: "endpoint companion", offset: offset)
            }
            interfaces[last].endpoints[endpoint].companion = SuperSpeedEndpointCompanion(
                maxBurst: raw[2], attributes: raw[3], bytesPerInterval: raw.word(4))
        default:
            guard let last = interfaces.indices.last else { return }
            if let endpoint = interfaces[last].endpoints.indices.last {
                interfaces[last].endpoints[endpoint].classDescriptors.append(Array(raw.bytes))
            } else {
                interfaces[last].classDescriptors.append(Array(raw.bytes))
            }
        }
    }
}

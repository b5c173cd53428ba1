/// Endpoint descriptor, 7 bytes, or 9 in audio class 1.0 (USB 2.0 table 9-13), with what follows it.
public struct EndpointDescriptor: Sendable, Equatable {
    public var address: EndpointAddress
    public var attributes: UInt8
    /// wMaxPacketSize as it stands: bytes in bits 0...10, additional transactions in bits 11...12.
    public var maxPacketSizeWord: UInt16
    /// bInterval as it stands: frames at low and full speed, an exponent of microframes at high and super speed.
    public var interval: UInt8
    /// Bytes 7... of a longer descriptor (audio: bRefresh, bSynchAddress).
    public var extra: [UInt8]
    public var companion: SuperSpeedEndpointCompanion?
    /// Whole class-specific descriptors after this one.
    public var classDescriptors: [[UInt8]]

    public init(
        address: EndpointAddress, attributes: UInt8, maxPacketSizeWord: UInt16, interval: UInt8, extra: [UInt8] = [],
        companion: SuperSpeedEndpointCompanion? = nil, classDescriptors: [[UInt8]] = []
    ) {
        self.address = address
        self.attributes = attributes
        self.maxPacketSizeWord = maxPacketSizeWord
        self.interval = interval
        self.extra = extra
        self.companion = companion
        self.classDescriptors = classDescriptors
    }

    public var type: TransferType { TransferType(rawValue: attributes & 3) ?? .control }

    /// Bytes of one packet.
    public var maxPacketSize: Int { Int(maxPacketSizeWord & 0x07FF) }

    /// Bytes per service interval, additional transactions, bursts and mult included.
    public var bytesPerInterval: Int {
        guard type == .isochronous || type == .interrupt else { return maxPacketSize }
        if let companion {
            let mult = type == .isochronous ? Int(companion.attributes & 3) + 1 : 1
            return maxPacketSize * (Int(companion.maxBurst) + 1) * mult
        }
        return maxPacketSize * (Int(maxPacketSizeWord >> 11 & 3) + 1)
    }

    /// Service interval in frames (low, full speed) or microframes (high, super speed), at least 1 (USB 2.0 table 9-13).
    public func intervalUnits(at speed: Speed) -> Int {
        switch speed {
        case .low: max(1, Int(interval))
        case .full: type == .isochronous ? 1 << Int(min(max(interval, 1), 16) - 1) : max(1, Int(interval))
        case .high, .super: 1 << Int(min(max(interval, 1), 16) - 1)
        }
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = [
            UInt8(truncatingIfNeeded: 7 + extra.count), DescriptorType.endpoint, address.rawValue, attributes,
        ]
        out.append(little: maxPacketSizeWord)
        out.append(interval)
        out += extra
        if let companion { out += companion.bytes }
        for descriptor in classDescriptors { out += descriptor }
        return out
    }
}

/// SuperSpeed endpoint companion, 6 bytes (USB 3.2 table 9-28).
public struct SuperSpeedEndpointCompanion: Sendable, Equatable {
    /// bMaxBurst: packets per burst less one, 0...15.
    public var maxBurst: UInt8
    /// Bulk: streams as a power of two; isochronous: mult.
    public var attributes: UInt8
    /// wBytesPerInterval.
    public var bytesPerInterval: UInt16

    public init(maxBurst: UInt8 = 0, attributes: UInt8 = 0, bytesPerInterval: UInt16 = 0) {
        self.maxBurst = maxBurst
        self.attributes = attributes
        self.bytesPerInterval = bytesPerInterval
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = [6, DescriptorType.superSpeedEndpointCompanion, maxBurst, attributes]
        out.append(little: bytesPerInterval)
        return out
    }
}

/// Names one submitted transfer on one device connection; chosen by the wire, unique while pending.
public typealias TransferID = UInt64

/// One unit of work that a host gives a device: a control, bulk, interrupt or isochronous transfer.
///
/// It completes exactly once, with a `TransferCompletion` of the same id, also on cancel, reset, unplug and device death.
public struct Transfer: Sendable, Equatable {
    public let id: TransferID
    /// For control transfers: endpoint 0 with the direction of the data stage (OUT when there is none).
    public let endpoint: EndpointAddress
    /// Set for control transfers only.
    public let setup: SetupPacket?
    /// OUT payload; empty for IN.
    public let data: [UInt8]
    /// IN: how many bytes the host takes at most. OUT: `data.count`.
    public let length: Int
    public let flags: TransferFlags
    /// Isochronous transfers only: offset and length of each packet in the buffer.
    public let packets: [IsochronousPacket]

    /// Packets that an isochronous transfer may have; one with more fails.
    public static let maximumPackets = 1024

    /// Whether there are not too many packets, each is in the buffer, and together they are no more than it.
    public var hasValidPackets: Bool {
        guard packets.count <= Self.maximumPackets else { return false }
        var sum = 0
        for packet in packets {
            guard packet.offset >= 0, packet.length >= 0, packet.length <= length - sum,
                packet.offset <= length - packet.length
            else { return false }
            sum += packet.length
        }
        return true
    }

    @inlinable init(
        id: TransferID, endpoint: EndpointAddress, setup: SetupPacket?, data: [UInt8], length: Int,
        flags: TransferFlags, packets: [IsochronousPacket]
    ) {
        self.id = id
        self.endpoint = endpoint
        self.setup = setup
        self.data = data
        self.length = length
        self.flags = flags
        self.packets = packets
    }

    /// A bulk, interrupt or isochronous IN transfer.
    @inlinable public static func `in`(
        _ id: TransferID, _ number: UInt8, length: Int, flags: TransferFlags = [], packets: [IsochronousPacket] = []
    ) -> Transfer {
        Transfer(
            id: id, endpoint: EndpointAddress(number, .in), setup: nil, data: [], length: max(0, length), flags: flags,
            packets: packets)
    }

    /// A bulk, interrupt or isochronous OUT transfer.
    @inlinable public static func out(
        _ id: TransferID, _ number: UInt8, data: [UInt8], flags: TransferFlags = [], packets: [IsochronousPacket] = []
    ) -> Transfer {
        Transfer(
            id: id, endpoint: EndpointAddress(number, .out), setup: nil, data: data, length: data.count, flags: flags,
            packets: packets)
    }

    /// A control transfer on endpoint 0; IN takes at most `setup.length` bytes.
    @inlinable public static func control(_ id: TransferID, _ setup: SetupPacket, data: [UInt8] = []) -> Transfer {
        let incoming = setup.direction == .in && setup.length > 0
        return Transfer(
            id: id, endpoint: incoming ? .controlIn : .controlOut, setup: setup, data: incoming ? [] : data,
            length: incoming ? Int(setup.length) : data.count, flags: [], packets: [])
    }
}

/// Host's wishes for one transfer (Linux URB flags, as USB/IP carries them).
public struct TransferFlags: OptionSet, Sendable, Equatable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// An IN transfer that ends short is reported as `shortPacket`, with its data.
    @inlinable public static var shortNotOK: TransferFlags { TransferFlags(rawValue: 1) }
    /// A bulk OUT transfer of a multiple of the packet size ends with a zero-length packet.
    @inlinable public static var zeroPacket: TransferFlags { TransferFlags(rawValue: 2) }
}

/// One packet of an isochronous transfer.
public struct IsochronousPacket: Sendable, Equatable {
    public var offset: Int
    public var length: Int
    public var actualLength: Int
    public var status: TransferStatus

    public init(offset: Int, length: Int, actualLength: Int = 0, status: TransferStatus = .success) {
        self.offset = offset
        self.length = length
        self.actualLength = actualLength
        self.status = status
    }
}

/// How a transfer ended. Wires translate it: USB/IP to negative errno, usbredir to its status byte.
public enum TransferStatus: String, Sendable, Equatable {
    case success = "ok"
    case stall
    case cancelled
    /// The device sent more than the host asked for.
    case babble
    case timeout
    /// Protocol error: nothing that the device could answer.
    case error
    /// Short IN transfer under `shortNotOK`; data is valid.
    case shortPacket = "short"
    /// The device is gone.
    case noDevice = "no-device"
}

/// The end of a transfer; exactly one per submitted transfer.
public struct TransferCompletion: Sendable, Equatable {
    public var id: TransferID
    public var endpoint: EndpointAddress
    public var status: TransferStatus
    /// IN payload, never more than asked; empty for OUT. Isochronous: the packets' bytes back to back, without the gaps
    /// that the packets' offsets leave.
    public var data: [UInt8]
    /// IN: `data.count`. OUT: bytes that the device took.
    public var actualLength: Int
    /// Isochronous: the request's packets, each with what it moved and how it ended; offset and length are the request's.
    /// The actual lengths add up to `actualLength`. `status` is `success` even if packets failed. Empty when the transfer
    /// was cancelled or the device went.
    public var packets: [IsochronousPacket]

    @inlinable public init(
        id: TransferID, endpoint: EndpointAddress, status: TransferStatus, data: [UInt8] = [], actualLength: Int = 0,
        packets: [IsochronousPacket] = []
    ) {
        self.id = id
        self.endpoint = endpoint
        self.status = status
        self.data = data
        self.actualLength = endpoint.direction == .in ? data.count : actualLength
        self.packets = packets
    }
}

/// USB_EPnR of the FSDEV controller (RM0091 section 30.6.2).
struct EndpointRegister: Sendable, Equatable {
    var value: UInt16 = 0

    static let received: UInt16 = 1 << 15
    static let toggleReceive: UInt16 = 1 << 14
    static let setup: UInt16 = 1 << 11
    static let kind: UInt16 = 1 << 8
    static let transmitted: UInt16 = 1 << 7
    static let toggleTransmit: UInt16 = 1 << 6

    /// STAT_RX and STAT_TX.
    enum Status: UInt16 {
        case disabled = 0
        case stall = 1
        case nak = 2
        case valid = 3
    }

    /// EP_TYPE.
    enum Kind: UInt16 {
        case bulk = 0
        case control = 1
        case isochronous = 2
        case interrupt = 3
    }

    /// What the CPU's write does: CTR bits can only be cleared, DTOG and STAT toggle where a 1 is written, SETUP stays.
    mutating func write(_ new: UInt16) {
        value = value & Self.setup | new & 0x070F | (value ^ new) & 0x7070 | value & new & 0x8080
    }

    /// USB reset keeps pending CTR bits only.
    mutating func reset() { value &= Self.received | Self.transmitted }

    var endpoint: UInt8 { UInt8(value & 0x0F) }
    var type: Kind { Kind(rawValue: value >> 9 & 3) ?? .bulk }
    var isKindSet: Bool { value & Self.kind != 0 }
    var hasReceived: Bool { value & Self.received != 0 }
    var isPending: Bool { value & (Self.received | Self.transmitted) != 0 }
    var isDoubleBuffered: Bool { type == .bulk && isKindSet }
    /// Raises the high-priority interrupt.
    var isUrgent: Bool { type == .isochronous || isDoubleBuffered }

    var receive: Status {
        get { Status(rawValue: value >> 12 & 3) ?? .disabled }
        set { value = value & ~0x3000 | newValue.rawValue << 12 }
    }

    var transmit: Status {
        get { Status(rawValue: value >> 4 & 3) ?? .disabled }
        set { value = value & ~0x0030 | newValue.rawValue << 4 }
    }

    var receiveToggle: Bool {
        get { value & Self.toggleReceive != 0 }
        set { value = newValue ? value | Self.toggleReceive : value & ~Self.toggleReceive }
    }

    var transmitToggle: Bool {
        get { value & Self.toggleTransmit != 0 }
        set { value = newValue ? value | Self.toggleTransmit : value & ~Self.toggleTransmit }
    }
}

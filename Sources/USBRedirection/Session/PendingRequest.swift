/// A transfer that the device is working on.
struct PendingRequest: Equatable {
    /// The guest's id, 64 arbitrary bits that its reply carries; 0 for a transfer of ours.
    var id: UInt64
    var request: Request

    var isGuests: Bool {
        switch request {
        case .interruptStream, .isochronousStream: false
        default: true
        }
    }
}

/// What a transfer is for; the reply to a guest's request is made of this and of the transfer's completion.
enum Request: Equatable {
    /// Without its data.
    case control(ControlPacket)
    case bulk(endpoint: UInt8, length: UInt32)
    case interruptOut(endpoint: UInt8, length: UInt16)
    case setConfiguration(UInt8)
    case getConfiguration
    case setAlternateSetting(interface: UInt8, alternate: UInt8)
    case getAlternateSetting(interface: UInt8)
    /// The parked transfer of the interrupt stream with this endpoint index; not a guest's request.
    case interruptStream(Int)
    /// A transfer of the isochronous stream with this endpoint index; not a guest's request.
    case isochronousStream(Int)

    /// Whether it is for endpoint 0.
    var isControl: Bool {
        switch self {
        case .control, .setConfiguration, .getConfiguration, .setAlternateSetting, .getAlternateSetting: true
        case .bulk, .interruptOut, .interruptStream, .isochronousStream: false
        }
    }

    /// Bytes that it may make us hold.
    var cost: Int {
        switch self {
        case .control(let packet): Int(packet.length)
        case .bulk(_, let length): Int(length)
        case .interruptOut(_, let length): Int(length)
        default: 1
        }
    }
}

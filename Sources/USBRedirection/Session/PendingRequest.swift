/// A guest's request that the device is working on; its reply is made of this and of the transfer's completion.
enum PendingRequest: Equatable {
    /// Without its data.
    case control(ControlPacket)
    case bulk(endpoint: UInt8, length: UInt32)
    case interruptOut(endpoint: UInt8, length: UInt16)
    case setConfiguration(UInt8)
    case getConfiguration
    case setAlternateSetting(interface: UInt8, alternate: UInt8)
    case getAlternateSetting(interface: UInt8)

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

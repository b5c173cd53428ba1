/// What a peer said that USB/IP does not allow; the connection is closed after it.
public enum USBIPError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The first two bytes of an operation are not 0x0111.
    case unknownVersion(UInt16)
    case unknownOperation(UInt16)
    case unknownCommand(UInt32)
    case tooManyDevices(UInt32, limit: Int)
    case direction(UInt32)
    case endpoint(UInt32)
    /// Negative, or more than the limit; `what` names the field.
    case length(what: String, Int32, limit: Int)
    case packetCount(Int32, limit: Int)
    /// The URB belongs to another device than the one imported.
    case deviceID(UInt32, expected: UInt32)
    /// bmRequestType and the header's direction disagree about the data stage: nobody can know whether bytes follow.
    case controlDirection(requestType: UInt8)
    /// A reply to a URB that is not pending.
    case unknownSequenceNumber(UInt32)

    public var description: String {
        switch self {
        case .unknownVersion(let version): "USB/IP: version \(hexadecimal(version)) is not spoken; 0x0111 is"
        case .unknownOperation(let code): "USB/IP: unknown operation \(hexadecimal(code))"
        case .unknownCommand(let command): "USB/IP: unknown command \(command)"
        case .tooManyDevices(let count, let limit): "USB/IP: a list of \(count) devices; \(limit) are allowed"
        case .direction(let direction): "USB/IP: direction \(direction) is neither 0 (out) nor 1 (in)"
        case .endpoint(let number): "USB/IP: endpoint \(number) does not exist; 0 to 15 do"
        case .length(let what, let length, let limit): "USB/IP: \(what) \(length) is not within 0 to \(limit)"
        case .packetCount(let count, let limit): "USB/IP: \(count) isochronous packets; 0 to \(limit) are allowed"
        case .deviceID(let found, let expected):
            "USB/IP: a request for device \(hexadecimal(found)) where \(hexadecimal(expected)) is imported"
        case .controlDirection(let type):
            "USB/IP: direction of a control transfer disagrees with bmRequestType \(hexadecimal(type))"
        case .unknownSequenceNumber(let number): "USB/IP: an answer to URB \(number), which is not pending"
        }
    }
}

private func hexadecimal(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

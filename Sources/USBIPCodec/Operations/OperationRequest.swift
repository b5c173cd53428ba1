import NIOCore

/// What a client asks on a fresh connection.
public enum OperationRequest: Sendable, Equatable {
    case listDevices
    case importDevice(BusID)

    public func write(to buffer: inout ByteBuffer) {
        switch self {
        case .listDevices: OperationHeader(code: .requestDeviceList).write(to: &buffer)
        case .importDevice(let busID):
            OperationHeader(code: .requestImport).write(to: &buffer)
            buffer.writeBytes(busID.bytes)
        }
    }

    /// The request at the front of `buffer`, or nil when more bytes are needed. What follows it is left.
    public static func read(from buffer: inout ByteBuffer) throws(USBIPError) -> OperationRequest? {
        guard let header = try OperationHeader.peek(buffer) else { return nil }
        switch header.code {
        case .requestDeviceList:
            buffer.moveReaderIndex(forwardBy: OperationHeader.length)
            return .listDevices
        case .requestImport:
            guard buffer.readableBytes >= OperationHeader.length + BusID.length,
                let bytes = buffer.getBytes(at: buffer.readerIndex + OperationHeader.length, length: BusID.length)
            else { return nil }
            buffer.moveReaderIndex(forwardBy: OperationHeader.length + BusID.length)
            return .importDevice(BusID(thirtyTwo: bytes))
        case .replyDeviceList, .replyImport:
            throw .unknownOperation(header.code.rawValue)
        }
    }
}

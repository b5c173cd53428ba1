import NIOCore

/// What an exporter answers.
public enum OperationReply: Sendable, Equatable {
    case devices([ListedDevice])
    /// The URB stream follows on the same connection.
    case imported(DeviceRecord)
    /// Eight bytes only.
    case refused(OperationCode, OperationStatus)

    public func write(to buffer: inout ByteBuffer) {
        switch self {
        case .devices(let devices):
            OperationHeader(code: .replyDeviceList).write(to: &buffer)
            buffer.writeInteger(UInt32(devices.count))
            for device in devices { device.write(to: &buffer) }
        case .imported(let record):
            OperationHeader(code: .replyImport).write(to: &buffer)
            record.write(to: &buffer)
        case .refused(let code, let status):
            OperationHeader(code: code, status: status).write(to: &buffer)
        }
    }

    /// The reply at the front of `buffer`, or nil when more bytes are needed; then nothing has been taken.
    public static func read(
        from buffer: inout ByteBuffer, limits: USBIPLimits = USBIPLimits()
    ) throws(USBIPError) -> OperationReply? {
        guard let header = try OperationHeader.peek(buffer) else { return nil }
        var rest = buffer
        rest.moveReaderIndex(forwardBy: OperationHeader.length)
        let reply: OperationReply
        switch header.code {
        case .requestDeviceList, .requestImport: throw .unknownOperation(header.code.rawValue)
        case _ where header.status != .ok: reply = .refused(header.code, header.status)
        case .replyDeviceList:
            guard let count = rest.readInteger(as: UInt32.self) else { return nil }
            guard count <= UInt32(clamping: limits.maximumListedDevices) else {
                throw .tooManyDevices(count, limit: limits.maximumListedDevices)
            }
            var devices: [ListedDevice] = []
            for _ in 0..<count {
                guard let device = ListedDevice(readingFrom: &rest) else { return nil }
                devices.append(device)
            }
            reply = .devices(devices)
        case .replyImport:
            guard let record = DeviceRecord(readingFrom: &rest) else { return nil }
            reply = .imported(record)
        }
        buffer = rest
        return reply
    }
}

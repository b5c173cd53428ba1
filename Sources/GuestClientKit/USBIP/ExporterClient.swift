import NIOCore
import USBIPCodec

/// The op phase of USB/IP from the importer's side: one connection for each operation.
struct ExporterClient {
    /// Longer than any exporter should think.
    private static let patienceMilliseconds: Int64 = 10_000

    let connect: () throws(GuestError) -> StreamSocket

    /// The devices that the exporter offers to us and that nobody has.
    func devices() throws(GuestError) -> [ListedDevice] {
        let stream = try connect()
        let deadline = monotonicMilliseconds() + Self.patienceMilliseconds
        try send(.listDevices, on: stream, deadline)
        var buffer = ByteBuffer()
        // Nothing follows a list, so whatever has come may be taken. Its size is bounded by the codec's limits.
        while true {
            if let reply = try decode(&buffer, stream) {
                switch reply {
                case .devices(let devices): return devices
                case .refused(_, let status): throw .refused("\(stream.peer): the list was refused: \(status)")
                case .imported: throw .refused("\(stream.peer): it answered another question")
                }
            }
            buffer.writeBytes(try stream.read(exactly: 1, until: deadline))
            if let more = try stream.readAvailable(), !more.isEmpty { buffer.writeBytes(more) }
        }
    }

    /// Imports a device; the socket is then at the first byte of the URB stream.
    func importDevice(_ name: String) throws(GuestError) -> (stream: StreamSocket, record: DeviceRecord) {
        guard let busID = BusID(name) else {
            throw .noSuchDevice("'\(SystemFile.printable(name.utf8))' cannot be a bus id: it has 1 to 32 bytes")
        }
        let stream = try connect()
        let deadline = monotonicMilliseconds() + Self.patienceMilliseconds
        try send(.importDevice(busID), on: stream, deadline)
        // A refusal ends after the header; of a record nothing may be read beyond its last byte.
        var buffer = ByteBuffer(bytes: try stream.read(exactly: 8, until: deadline))
        if let reply = try decode(&buffer, stream) { throw Self.refusal(reply, name, stream.peer) }
        buffer.writeBytes(try stream.read(exactly: DeviceRecord.length, until: deadline))
        guard case .imported(let record)? = try decode(&buffer, stream) else {
            throw .refused("\(stream.peer): it answered another question")
        }
        return (stream, record)
    }

    static func refusal(_ reply: OperationReply, _ name: String, _ peer: String) -> GuestError {
        let name = SystemFile.printable(name.utf8)
        guard case .refused(.replyImport, let status) = reply else {
            return .refused("\(peer): it answered another question")
        }
        return switch status {
        case .noDevice: .noSuchDevice("\(peer) has no device '\(name)' for this guest")
        case .notAvailable: .busy("'\(name)' of \(peer) is busy: another client has it")
        case .busy: .busy("'\(name)' of \(peer) is busy")
        default: .refused("\(peer) refused '\(name)': \(status)")
        }
    }

    private func send(_ request: OperationRequest, on stream: StreamSocket, _ deadline: Int64) throws(GuestError) {
        var buffer = ByteBuffer()
        request.write(to: &buffer)
        try stream.write(Array(buffer.readableBytesView), until: deadline)
    }

    private func decode(_ buffer: inout ByteBuffer, _ stream: StreamSocket) throws(GuestError) -> OperationReply? {
        do {
            return try OperationReply.read(from: &buffer)
        } catch {
            throw .refused("\(stream.peer) is no USB/IP exporter: \(error.description)")
        }
    }
}

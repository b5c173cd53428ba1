import NIOCore
import USBIPCodec

/// One fuzz input read as requests and as replies of the op phase: whole and in pieces it means the same, nothing is taken
/// before all is there, and what was understood can be written and read again.
public enum OperationFuzz {
    /// - Returns: what was violated, nil when all is well.
    public static func run(_ input: some Collection<UInt8>) -> String? {
        guard let first = input.first else { return nil }
        let bytes = Array(input.dropFirst())
        // Not more than some twenty pieces: a reply is read from its start with each.
        let step = max(Int(first & 0x7F) + 1, bytes.count / 20)
        return request(bytes, step) ?? reply(bytes, step)
    }

    private static func request(_ bytes: [UInt8], _ step: Int) -> String? {
        let whole = outcome(bytes, step: bytes.count) { buffer throws(USBIPError) in
            try OperationRequest.read(from: &buffer)
        }
        let pieces = outcome(bytes, step: step) { buffer throws(USBIPError) in
            try OperationRequest.read(from: &buffer)
        }
        guard whole == pieces else { return "request in pieces of \(step): \(pieces), whole: \(whole)" }
        guard case .read(let request, _) = whole else { return nil }
        var again = ByteBuffer()
        request.write(to: &again)
        return (try? OperationRequest.read(from: &again)) == request ? nil : "request \(request) is not read as written"
    }

    private static func reply(_ bytes: [UInt8], _ step: Int) -> String? {
        let limits = USBIPLimits(maximumListedDevices: 64)
        let read = { (buffer: inout ByteBuffer) throws(USBIPError) in
            try OperationReply.read(from: &buffer, limits: limits)
        }
        let whole = outcome(bytes, step: bytes.count, read)
        let pieces = outcome(bytes, step: step, read)
        guard whole == pieces else { return "reply in pieces of \(step): \(pieces), whole: \(whole)" }
        guard case .read(let reply, _) = whole else { return nil }
        var again = ByteBuffer()
        reply.write(to: &again)
        let readAgain = try? OperationReply.read(from: &again, limits: limits)
        return readAgain.map(withoutPaths) == withoutPaths(reply)
            ? nil : "reply \(reply) is not read as written"
    }

    /// A path that is not UTF-8 is repaired, and may then be too long.
    private static func withoutPaths(_ reply: OperationReply) -> OperationReply {
        switch reply {
        case .devices(let devices):
            .devices(devices.map { ListedDevice(record: withoutPath($0.record), interfaces: $0.interfaces) })
        case .imported(let record): .imported(withoutPath(record))
        case .refused: reply
        }
    }

    private static func withoutPath(_ record: DeviceRecord) -> DeviceRecord {
        var record = record
        record.path = ""
        return record
    }

    private enum Outcome<Value: Equatable>: Equatable {
        case incomplete
        case refused(USBIPError)
        /// With what is left behind it.
        case read(Value, rest: Int)
    }

    private static func outcome<Value: Equatable>(
        _ bytes: [UInt8], step: Int, _ read: (inout ByteBuffer) throws(USBIPError) -> Value?
    ) -> Outcome<Value> {
        var buffer = ByteBuffer()
        var rest = bytes[...]
        repeat {
            buffer.writeBytes(rest.prefix(max(1, step)))
            rest = rest.dropFirst(max(1, step))
            let before = buffer.readableBytes
            do {
                if let value = try read(&buffer) { return .read(value, rest: buffer.readableBytes + rest.count) }
            } catch {
                return .refused(error)
            }
            guard buffer.readableBytes == before else { return .incomplete }
        } while !rest.isEmpty
        return .incomplete
    }
}

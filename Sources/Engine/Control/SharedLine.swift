import ControlProtocol
import Foundation
import NIOCore
import Synchronization

/// One line for many clients: encoded once, by the first that sends it, and not at all when nobody does.
final class SharedLine: Sendable {
    private let line: ServerLine
    private let encoded = Mutex<ByteBuffer?>(nil)

    init(_ line: ServerLine) { self.line = line }

    func bytes() throws -> ByteBuffer {
        try encoded.withLock { encoded in
            if let bytes = encoded { return bytes }
            let bytes = try Self.encode(line)
            encoded = bytes
            return bytes
        }
    }

    static func encode(_ line: ServerLine) throws -> ByteBuffer {
        var bytes = ByteBuffer(bytes: try JSONEncoder().encode(line))
        bytes.writeInteger(UInt8(ascii: "\n"))
        return bytes
    }
}

import NIOCore
import USBIPCodec

/// Small replies on their way into one write.
///
/// Appending to a `ByteBuffer` costs more than all else that a small reply costs, so they gather here, in memory that is
/// used again, and go into the buffer together. Order is kept: whoever writes to the buffer itself calls `move` first.
struct ReplyStage: ~Copyable {
    /// Bytes of payload up to which a reply is small: a second copy of more would cost what the stage saves.
    private static let smallPayload = 2048
    private static let capacity = 32 << 10

    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    private var used = 0

    init() {}

    deinit { bytes.deallocate() }

    var isEmpty: Bool { used == 0 }
    var count: Int { used }

    /// - Parameter count: bytes of `data` that follow the header.
    mutating func append(_ reply: SubmitReply, _ data: [UInt8], count: Int, into buffer: inout ByteBuffer) {
        let count = min(count, data.count)
        guard count <= Self.smallPayload else {
            move(into: &buffer)
            buffer.reserveCapacity(minimumWritableBytes: URBHeader.length + count)
            reply.write(to: &buffer)
            if count == data.count { buffer.writeBytes(data) } else { buffer.writeBytes(data[..<count]) }
            return
        }
        if Self.capacity - used < URBHeader.length + count { move(into: &buffer) }
        let place = UnsafeMutableRawBufferPointer(rebasing: bytes[used...])
        reply.write(to: place)
        if count > 0 {
            data.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: place[URBHeader.length...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
        }
        used += URBHeader.length + count
    }

    /// Empties it behind what the buffer holds.
    mutating func move(into buffer: inout ByteBuffer) {
        guard used > 0 else { return }
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[..<used]))
        used = 0
    }

    mutating func discard() { used = 0 }
}

import NIOCore
import USBCore

/// What an exporter sends once a device is imported.
public enum URBReply: Sendable, Equatable {
    /// `data` is empty for OUT; `packets` is empty unless the URB was isochronous.
    case submit(SubmitReply, data: ByteBuffer = ByteBuffer(), packets: [IsochronousDescriptor] = [])
    case unlink(UnlinkReply)

    /// All of it, payload included.
    public func write(to buffer: inout ByteBuffer) {
        switch self {
        case .submit(let reply, let data, let packets):
            reply.write(to: &buffer)
            buffer.writeImmutableBuffer(data)
            for packet in packets { packet.write(to: &buffer) }
        case .unlink(let reply): reply.write(to: &buffer)
        }
    }
}

/// What an importer must remember of a URB to read its answer: the stream does not repeat it.
public struct AwaitedURB: Sendable, Equatable {
    public var direction: Direction
    /// IN: room for data. OUT: bytes sent.
    public var length: Int
    /// Descriptors sent; nil unless the endpoint is isochronous.
    public var packetCount: Int?

    public init(direction: Direction, length: Int, packetCount: Int? = nil) {
        self.direction = direction
        self.length = length
        self.packetCount = packetCount
    }
}

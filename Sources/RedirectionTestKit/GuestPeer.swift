import NIOCore
import USBRedirection

/// The guest's end of a usbredir link as a value: bytes in, messages out, and back. For tests and benchmarks.
///
/// It switches to the negotiated form of packets when the host's hello comes in; say hello first.
public struct GuestPeer {
    public let offered: Capabilities
    public var capabilities: Capabilities? { encoder.capabilities }
    private var decoder = PacketDecoder(
        sender: .host, limits: PacketLimits(maximumTransferLength: 128 << 20))
    private var encoder = PacketEncoder()
    private var inbound = ByteBuffer()

    public init(offering offered: Capabilities = .offeredByQEMU) {
        self.offered = offered
    }

    /// A hello has 32-bit ids whatever is negotiated.
    public func hello(version: String = "guest peer") -> ByteBuffer {
        var buffer = ByteBuffer()
        PacketEncoder().write(Message(0, .hello(Hello(version: version, capabilities: offered))), to: &buffer)
        return buffer
    }

    public func bytes(_ messages: [Message]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for message in messages { encoder.write(message, to: &buffer) }
        return buffer
    }

    /// Appends to a buffer of the caller's, for loops that batch.
    public func write(_ message: Message, to buffer: inout ByteBuffer) {
        encoder.write(message, to: &buffer)
    }

    /// Takes over what a hello said that was written past this peer.
    public mutating func adopt(_ inForce: Capabilities) {
        decoder.capabilities = inForce
        encoder.capabilities = inForce
    }

    /// All whole messages in what has come so far.
    public mutating func receive(_ bytes: ByteBuffer) throws(RedirectionError) -> [Message] {
        var bytes = bytes
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            inbound.writeBuffer(&bytes)
        }
        var messages: [Message] = []
        while let message = try decoder.next(from: &inbound) {
            if case .hello(let hello) = message.packet {
                let inForce = offered.negotiated(with: hello.capabilities)
                decoder.capabilities = inForce
                encoder.capabilities = inForce
            }
            messages.append(message)
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        return messages
    }
}

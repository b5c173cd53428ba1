import NIOCore
import USBCore

/// What an importer sends once it has a device.
public enum URBRequest: Sendable, Equatable {
    /// `data` is empty for IN; `packets` is empty unless the endpoint is isochronous.
    case submit(SubmitCommand, data: [UInt8] = [], packets: [IsochronousDescriptor] = [])
    case unlink(UnlinkCommand)

    /// All of it, payload included.
    public func write(to buffer: inout ByteBuffer) {
        switch self {
        case .submit(let command, let data, let packets):
            command.write(to: &buffer)
            buffer.writeBytes(data)
            for packet in packets { packet.write(to: &buffer) }
        case .unlink(let command): command.write(to: &buffer)
        }
    }
}

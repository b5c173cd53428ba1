/// A whole request where it came in: its payload is good only for as long as the bytes that it was found in.
@frozen public enum URBRequestView {
    /// `data` is empty for IN; `descriptors` is empty unless the endpoint is isochronous.
    case submit(SubmitCommand, data: UnsafeRawBufferPointer, descriptors: UnsafeRawBufferPointer)
    case unlink(UnlinkCommand)
}

extension URBRequest {
    /// Copies the payload.
    init(_ view: URBRequestView) {
        switch view {
        case .submit(let command, let data, let descriptors):
            self = .submit(command, data: [UInt8](data), packets: IsochronousDescriptor.read(in: descriptors))
        case .unlink(let command): self = .unlink(command)
        }
    }
}

import USBIPCodec

/// How an importer's session ended.
public enum SessionEnd: Sendable, Equatable, CustomStringConvertible {
    /// End of stream: the importer detached, or its program ended.
    case importerClosed
    case importerReset
    /// No request came in time.
    case idle
    /// The importer broke the protocol.
    case refused(USBIPError)
    /// The socket failed.
    case link(String)
    /// The owner took the device back; for people.
    case released(String)
    /// The device wants to be enumerated anew: USB/IP has no other way than an unplug.
    case deviceChanged
    /// Somebody else took the device out of its port.
    case deviceTaken

    public var description: String {
        switch self {
        case .importerClosed: "the importer closed the connection"
        case .importerReset: "the importer reset the connection"
        case .idle: "the importer asked nothing of the device in time"
        case .refused(let error): error.description
        case .link(let reason): "the connection failed: \(reason)"
        case .released(let reason): reason
        case .deviceChanged: "the device changed what it is; import it again"
        case .deviceTaken: "the device was taken out"
        }
    }
}

/// `status` of a reply: zero or a negative Linux errno, whatever system sends it. Never positive.
public struct URBStatus: RawRepresentable, Sendable, Equatable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let success = URBStatus(rawValue: 0)
    /// -ENOENT: killed.
    public static let killed = URBStatus(rawValue: -2)
    /// -ENOMEM: more is pending than we hold.
    public static let noMemory = URBStatus(rawValue: -12)
    /// -EXDEV: some isochronous packets did not make it.
    public static let partialIsochronous = URBStatus(rawValue: -18)
    /// -ENODEV.
    public static let noDevice = URBStatus(rawValue: -19)
    /// -EINVAL.
    public static let invalid = URBStatus(rawValue: -22)
    /// -EPIPE.
    public static let stall = URBStatus(rawValue: -32)
    /// -ETIME.
    public static let timeout = URBStatus(rawValue: -62)
    /// -EPROTO.
    public static let protocolError = URBStatus(rawValue: -71)
    /// -EOVERFLOW: the device sent more than was asked for.
    public static let babble = URBStatus(rawValue: -75)
    /// -EILSEQ.
    public static let illegalSequence = URBStatus(rawValue: -84)
    /// -EMSGSIZE.
    public static let messageTooLong = URBStatus(rawValue: -90)
    /// -ECONNRESET: unlinked.
    public static let unlinked = URBStatus(rawValue: -104)
    /// -ESHUTDOWN: the endpoint or the device is gone.
    public static let shutdown = URBStatus(rawValue: -108)
    /// -EREMOTEIO: short, under `shortNotOK`.
    public static let short = URBStatus(rawValue: -121)
}

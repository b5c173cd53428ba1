/// `status` of a reply: zero or a negative Linux errno, whatever system sends it. Never positive.
public struct URBStatus: RawRepresentable, Sendable, Equatable {
    public let rawValue: Int32
    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

    @inlinable public static var success: URBStatus { URBStatus(rawValue: 0) }
    /// -ENOENT: killed.
    @inlinable public static var killed: URBStatus { URBStatus(rawValue: -2) }
    /// -ENOMEM: more is pending than we hold.
    @inlinable public static var noMemory: URBStatus { URBStatus(rawValue: -12) }
    /// -EXDEV: some isochronous packets did not make it.
    @inlinable public static var partialIsochronous: URBStatus { URBStatus(rawValue: -18) }
    /// -ENODEV.
    @inlinable public static var noDevice: URBStatus { URBStatus(rawValue: -19) }
    /// -EINVAL.
    @inlinable public static var invalid: URBStatus { URBStatus(rawValue: -22) }
    /// -EPIPE.
    @inlinable public static var stall: URBStatus { URBStatus(rawValue: -32) }
    /// -ETIME.
    @inlinable public static var timeout: URBStatus { URBStatus(rawValue: -62) }
    /// -EPROTO.
    @inlinable public static var protocolError: URBStatus { URBStatus(rawValue: -71) }
    /// -EOVERFLOW: the device sent more than was asked for.
    @inlinable public static var babble: URBStatus { URBStatus(rawValue: -75) }
    /// -EILSEQ.
    @inlinable public static var illegalSequence: URBStatus { URBStatus(rawValue: -84) }
    /// -EMSGSIZE.
    @inlinable public static var messageTooLong: URBStatus { URBStatus(rawValue: -90) }
    /// -ECONNRESET: unlinked.
    @inlinable public static var unlinked: URBStatus { URBStatus(rawValue: -104) }
    /// -ESHUTDOWN: the endpoint or the device is gone.
    @inlinable public static var shutdown: URBStatus { URBStatus(rawValue: -108) }
    /// -EREMOTEIO: short, under `shortNotOK`.
    @inlinable public static var short: URBStatus { URBStatus(rawValue: -121) }
}

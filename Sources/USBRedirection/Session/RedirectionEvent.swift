import USBCore

/// What happens on a link, for the owner; told on the event loop, in order.
public enum RedirectionEvent: Sendable, Equatable {
    /// QEMU has opened the link. It says nothing until its VM runs.
    case linkOpened
    /// The VM runs and speaks usbredir; `capabilities` are those in force.
    case helloReceived(version: String, capabilities: Capabilities)
    /// The VM has a device filter; it applies the rules itself.
    case filterReceived(rules: String)
    /// The device is announced to the VM.
    case connected(Speed)
    /// The VM does not take the device (speed, filter); it is not tried again unless the operator asks.
    case rejected
    case disconnected(DisconnectReason)
    /// The link is gone; nil: the peer closed it, or we did. The device is out of the VM.
    case linkClosed(RedirectionError?)
}

/// Why the device left the VM while the link stays.
public enum DisconnectReason: Sendable, Equatable {
    /// The owner asked for it.
    case unplugged
    /// It comes back at once with changed descriptors.
    case reconnecting
}

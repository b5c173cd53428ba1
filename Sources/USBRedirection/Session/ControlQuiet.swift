import NIOCore

/// When a guest is likely to be waiting for endpoint 0.
///
/// QEMU's xHCI drops what is under way to a device that leaves, and what the guest still sends it, without telling the
/// guest (measured with QEMU 7.2). A driver that was just asking something then waits until its own time limit, 5 s for
/// each question with Linux; where the questions come from enumeration or probing, it is the hub's thread that waits, and
/// no port of that guest is looked at meanwhile. So a device does not leave in the middle of them.
public struct ControlQuiet {
    /// Longest pause between two requests of a guest that enumerates and probes: Linux debounces the port after the
    /// connect and waits after each reset; between the interfaces of a device it may load drivers.
    static let whileProbing = TimeAmount.milliseconds(500)
    /// What asks later are users of the device, one thing after the other.
    static let whenUsed = TimeAmount.milliseconds(50)
    /// A guest that never stops asking does not keep the device.
    public static let longestWait = TimeAmount.seconds(2)

    private var last = NIODeadline.distantPast
    private var isProbing = false

    /// A request for endpoint 0.
    mutating func heard(at now: NIODeadline) {
        if now - last >= Self.whileProbing { isProbing = false }
        last = now
    }

    /// device_connect or reset: the guest begins to ask.
    mutating func begins(at now: NIODeadline) {
        last = now
        isProbing = true
    }

    /// When the guest will have been quiet for long enough, if it says no more.
    var end: NIODeadline { last + (isProbing ? Self.whileProbing : Self.whenUsed) }
}

import NIOCore

/// How long things may take and how often they are looked at.
public struct VMTiming: Sendable {
    /// Without a greeting for this long, the socket is held by another client.
    public var greeting: TimeAmount = .seconds(1)
    /// First and longest pause between attempts to connect.
    public var reconnect: ClosedRange<Duration> = .milliseconds(100)...(.milliseconds(500))
    /// A QEMU that leaves a question open for this long is not answering.
    public var keepalive: TimeAmount = .seconds(2)
    /// Between readings of CPU use; every second one asks QEMU whether it is alive.
    public var sample: Duration = .seconds(1)
    /// Between scans of directories; processes are scanned every second time.
    public var scan: Duration = .milliseconds(500)
    /// How long a VM that is gone stays in the list, when its source no longer names it.
    public var linger: Duration = .seconds(15)
    /// A device_add may load a module first.
    public var deviceAdd: TimeAmount = .seconds(10)
    public var deviceDeleted: TimeAmount = .seconds(10)

    public init() {}
}

/// Where an engine keeps its things, and how long it waits for others.
public struct EngineSettings: Sendable {
    /// Control socket; wires listen in the directory `<socket>.d`.
    public var socket: String
    public var stateFile: String
    public var version: String
    /// How long a command waits for the guest before it answers "plugged, but …".
    public var settleSeconds = 10.0
    /// How long a device may stay in configuration 0 before that is the guest's farewell: programs that choose another
    /// configuration pass through 0.
    public var farewellSeconds = 0.5
    /// How long QMP may take to explain why a wire ended: a QEMU that dies ends both at once.
    public var lossSeconds = 1.5
    /// How long an eject waits for the guest to unmount.
    public var ejectSeconds = 30.0
    /// How long a guest may take to let go of a USB/IP device before its connection is closed.
    public var detachSeconds = 3.0
    /// How long a program that the guest agent was told to run may take.
    public var agentSeconds = 20.0
    /// How long a guest that starts may take until its agent answers.
    public var agentBootSeconds = 120.0
    /// Pause before a USB/IP device whose connection was lost is attached again; doubled with each loss, up to 30 s.
    public var reattachSeconds = 1.0
    var watch = WatchTiming()

    public init(socket: String, stateFile: String, version: String) {
        self.socket = socket
        self.stateFile = stateFile
        self.version = version
    }

    var wireDirectory: String { socket + ".d" }
}

/// Reaches a device's Web Service interface and carries its byte stream; usbfs today, others behind the same calls.
public protocol PipeTransport: Sendable {
    /// Claims the interface and starts a fresh session. Blocks; called from the link's own thread only.
    func open() throws(GuestError) -> any PipeSession

    /// Blocks until the set of devices may have changed, `milliseconds` have passed (nil: no limit), or `stop`.
    func waitForChange(milliseconds: Int32?, stop: StopSignal)
}

/// One open session: bytes between a local stream socket and the device.
public protocol PipeSession {
    /// What is open, for people: device and interface.
    var title: String { get }

    /// The service that this interface stands for by default.
    var service: PipeService { get }

    /// Moves bytes between `socket` (not owned) and the device until either ends. Blocks.
    func run(socket: Int32, stop: StopSignal) -> PipeEnd
}

/// A service that an interface stands for.
public struct PipeService: Sendable, Equatable {
    public var name: String
    /// Its protocol is its own: it is reached by CONNECT, not by HTTP requests.
    public var isByteService: Bool

    public init(name: String, isByteService: Bool) {
        self.name = name
        self.isByteService = isByteService
    }
}

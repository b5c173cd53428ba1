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
    ///
    /// - Parameter notified: called, on the same thread, with each message of the interrupt endpoint; nil: it is not read.
    func run(socket: Int32, stop: StopSignal, notified: (([UInt8]) -> Void)?) -> PipeEnd
}

extension PipeSession {
    func run(socket: Int32, stop: StopSignal) -> PipeEnd { run(socket: socket, stop: stop, notified: nil) }
}

/// A service that an interface stands for.
public struct PipeService: Sendable, Equatable {
    public var name: String
    /// Its protocol is its own: it is reached by CONNECT, not by HTTP requests.
    public var isByteService: Bool
    /// It stands for no service of its own: requests name theirs by their host.
    public var isDirectory: Bool
    /// Names of services behind the interface, in lower case, when the session began.
    public var services: Set<String>

    public init(name: String, isByteService: Bool, isDirectory: Bool = false, services: Set<String> = []) {
        self.name = name
        self.isByteService = isByteService
        self.isDirectory = isDirectory
        self.services = services
    }
}

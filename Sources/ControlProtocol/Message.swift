/// The control protocol: one JSON object a line over a UNIX socket, both ways (ARCHITECTURE: processes).
///
/// The engine speaks first with a `Greeting`. A client sends `Request`s; the engine answers each with one `Response`
/// of the same id, in any order, and sends `Push`es of what the client subscribed to in between.
public enum ControlProtocol {
    /// Raised when an older client could misunderstand a newer engine.
    public static let version = 1
    /// A longer line, either way, ends the connection.
    public static let maximumLineLength = 16 << 20
}

/// First line of the engine.
public struct Greeting: Codable, Sendable, Equatable {
    /// `2virt`.
    public var service: String
    public var version: Int
    public var pid: Int32

    public init(service: String = "2virt", version: Int = ControlProtocol.version, pid: Int32) {
        self.service = service
        self.version = version
        self.pid = pid
    }
}

/// A command with an id of the client's choice.
public struct Request: Codable, Sendable, Equatable {
    public var id: UInt64
    /// Who asks, for events and `by`: `root@pts/1`. Shown, not trusted.
    public var actor: String
    public var command: Command

    public init(id: UInt64, actor: String, command: Command) {
        self.id = id
        self.actor = actor
        self.command = command
    }
}

/// What can be asked of an engine; the console has no other way in.
public enum Command: Codable, Sendable, Equatable {
    case snapshot
    /// Replaces the subscription of this connection.
    case subscribe(Subscription)
    /// Events with a sequence greater than `after`, oldest first, at most `limit`.
    case events(after: UInt64, limit: Int)
    /// Answered when the guest side has settled.
    case plug(device: String, vm: String, via: Wire)
    case unplug(device: String)
    /// Asks the guest to let go first.
    case eject(device: String)
    /// Answered when the device has settled again.
    case setInterface(device: String, interface: String, gate: GateState)
    /// Of an emulated device's board; nil: its only button.
    case pressButton(device: String, button: String?, action: ButtonAction)
    /// As the reset pin of an emulated device's chip.
    case resetChip(device: String)
    /// Types text with a keyboard interface, the device's only one when nil; answered when the guest has taken all of it.
    /// `layout` is what the guest is set to, when that is not what the configuration says.
    case type(device: String, interface: String?, text: String, layout: String?)
    /// Presses keys together, such as `ctrl+alt+delete`.
    case press(device: String, interface: String?, keys: String)
    /// Gives a device's guest a declared service, through its only interface that takes services when nil.
    case grant(device: String, interface: String?, service: String)
    /// Takes a service back from a device's guest.
    case revoke(device: String, interface: String?, service: String)
    case shutdown
}

/// What a connection wants pushed.
public struct Subscription: Codable, Sendable, Equatable {
    /// A snapshot at once and after each change (at most 10 a second), and each second while counters move.
    public var snapshots: Bool
    /// Events from now on.
    public var events: Bool
    /// Traffic of this device or interface, twice a second while it moves.
    public var traffic: TrafficSelector?

    public init(snapshots: Bool = false, events: Bool = false, traffic: TrafficSelector? = nil) {
        self.snapshots = snapshots
        self.events = events
        self.traffic = traffic
    }
}

/// Whose traffic.
public struct TrafficSelector: Codable, Sendable, Equatable, Hashable {
    public var device: String
    public var interface: String?

    public init(device: String, interface: String? = nil) {
        self.device = device
        self.interface = interface
    }
}

/// The answer to one request.
public struct Response: Codable, Sendable, Equatable {
    public var id: UInt64
    public var outcome: Outcome

    public init(id: UInt64, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
}

/// How a request ended.
public enum Outcome: Codable, Sendable, Equatable {
    /// Done; a sentence for the operator.
    case done(String)
    case snapshot(Snapshot)
    case events([Event])
    /// Refused or failed, with the reason and the next step.
    case failed(String)
}

/// What the engine sends without being asked again.
public enum Push: Codable, Sendable, Equatable {
    case snapshot(Snapshot)
    case event(Event)
    case traffic(TrafficView)
}

/// One line of the engine.
public enum ServerLine: Codable, Sendable, Equatable {
    case greeting(Greeting)
    case response(Response)
    case push(Push)
}

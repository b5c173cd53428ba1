import ControlProtocol
import Hypervisor
import USBCore

/// What the engine knows of one configured device.
struct DeviceRecord {
    struct Gate {
        var state: GateState
        var since: Double
        var by: String
    }

    /// Something wrong with an interface's backend.
    struct Trouble {
        var text: String
        var since: Double
    }

    /// Who holds it over USB/IP.
    struct Importer: Equatable {
        var peer: String
        /// Where it was connected to.
        var listener: String
        var since: Double
        /// Seconds.
        var roundTrip: Double?
    }

    let configuration: DeviceConfiguration
    /// nil: it cannot be plugged, `trouble` says why.
    var host: DeviceHost?
    var trouble: String?
    /// What the host last said of itself.
    var report = DeviceReport()

    var state: PlugState = .unplugged
    var reason: String?
    var since: Double
    var by = "engine"
    var attachment: Attachment?
    /// Id of the VM that `attachment` names: a name may pass to another VM.
    var vmID: String?
    /// The place in QEMU, while there is one.
    var port: PluggedPort?
    var guest: GuestState = .absent
    /// When the wire's peer last took it.
    var connectedAt: Double?
    /// Why the wire of the present plug ended, until somebody has drawn the conclusion.
    var wireEnd: String?
    /// Gate by interface name.
    var gates: [String: Gate] = [:]
    /// Names of the services that the guest has, by interface that takes services.
    var services: [String: [String]] = [:]
    /// What is wrong with an interface's backend now, by interface name.
    var backendTroubles: [String: Trouble] = [:]
    /// How long siblings were away when an interface was last switched, seconds.
    var lastBlink: Double?
    /// Set while a command works on the device: a second one is refused with this text.
    var operation: String?
    /// Number of the present plug: tells a stale wire's signals from the present one's.
    var generation = 0
    /// The appearance of its VM at which it was last plugged by itself; once for each is enough.
    var triedAppearance: Int?
    /// N of its bus id 1-N; 0 before it has one.
    var busNumber: UInt16 = 0
    var importer: Importer?
    /// How the guest of `attachment` is made to attach it, when that is over USB/IP.
    var way: AttachWay?
    /// Why the guest could not attach it, until somebody has drawn the conclusion.
    var attachFailure: String?
    /// Answers that its guest owes to our orders to detach: what it says beyond them is its own will.
    var expectedDetaches = 0
    /// Losses of its USB/IP connection in a row.
    var losses = 0
    /// Interfaces whose medium the guest has open.
    var mediaInUse: Set<String> = []
    /// What it may say in events.
    var noise = EventBudget()

    init(configuration: DeviceConfiguration, since: Double) {
        self.configuration = configuration
        self.since = since
    }

    var name: String { configuration.name }

    var interfaces: [InterfaceConfiguration] {
        if case .simulated(let interfaces) = configuration.behaviour { interfaces } else { [] }
    }

    var isEmulated: Bool {
        if case .emulated = configuration.behaviour { true } else { false }
    }

    /// Whether its wire is, or is about to be, in a VM.
    var hasWire: Bool {
        switch state {
        case .plugging, .plugged, .unplugging, .imported: true
        case .unplugged, .waiting, .rejected: false
        }
    }

    mutating func enter(_ state: PlugState, by actor: String, at now: Double, reason: String? = nil) {
        self.state = state
        self.reason = reason
        by = actor
        since = now
        if state == .unplugged {
            attachment = nil
            vmID = nil
            way = nil
        }
        switch state {
        case .plugged, .unplugging, .imported: break
        case .unplugged, .plugging, .waiting, .rejected: guest = .absent
        }
    }

    var isOverUSBIP: Bool { state == .imported || attachment?.via == .usbip }

    /// Back to what it was before a plug that failed.
    mutating func restorePlug(of before: DeviceRecord, by actor: String, at now: Double, reason: String) {
        port = nil
        wireEnd = nil
        attachFailure = nil
        if before.state == .waiting {
            attachment = before.attachment
            vmID = before.vmID
            way = before.way
            enter(.waiting, by: actor, at: before.since, reason: reason)
        } else {
            enter(.unplugged, by: actor, at: now, reason: reason)
        }
    }
}

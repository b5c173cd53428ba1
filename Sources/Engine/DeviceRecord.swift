import ControlProtocol
import Hypervisor
import USBCore

/// What the engine knows of one configured device.
struct DeviceRecord {
    struct Gate {
        var state: GateState
        var since: Double
        var by: String
        var trouble: String?
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
    /// The place in QEMU, while there is one.
    var port: PluggedPort?
    var guest: GuestState = .absent
    /// When the guest last configured it.
    var configuredAt: Double?
    /// When the wire's peer last took it.
    var connectedAt: Double?
    /// Gate by interface name.
    var gates: [String: Gate] = [:]
    /// What is wrong with an interface's backend now, by interface name.
    var backendTroubles: [String: String] = [:]
    /// How long siblings were away when an interface was last switched, seconds.
    var lastBlink: Double?
    /// Set while a command works on the device: a second one is refused with this text.
    var operation: String?
    /// Tells a stale wire's signals from the present one's.
    var generation = 0

    init(configuration: DeviceConfiguration, since: Double) {
        self.configuration = configuration
        self.since = since
    }

    var name: String { configuration.name }

    var interfaces: [InterfaceConfiguration] {
        if case .simulated(let interfaces) = configuration.behaviour { interfaces } else { [] }
    }

    mutating func enter(_ state: PlugState, by actor: String, at now: Double, reason: String? = nil) {
        self.state = state
        self.reason = reason
        by = actor
        since = now
        if state == .unplugged || state == .rejected { attachment = state == .rejected ? attachment : nil }
        if state != .plugged && state != .unplugging { guest = .absent }
    }
}

import ControlProtocol
import Foundation
import Hypervisor
import Logging
import NIOCore
import NIOPosix
import SimulatedFirmware
import USBCore
import USBIP

/// The single source of truth: the inventory of devices, the live VMs, and who is plugged where.
///
/// Commands come in, events and snapshots go out; nothing slow runs on the actor, it only awaits.
public actor Engine {
    let configuration: Configuration
    let settings: EngineSettings
    let logger: Logger
    /// Serves devices and their wires.
    let group: MultiThreadedEventLoopGroup
    /// Serves the control socket and QMP: what comes in there must not delay a device.
    let controlGroup: MultiThreadedEventLoopGroup
    let hypervisor: any VMControl
    let store: StateStore
    /// Those that network interfaces are members of.
    let networks = Networks()
    let startedAt = Date().timeIntervalSince1970
    let hostName = Engine.currentHostName()

    /// Serves USB/IP; nil when nothing is configured to listen.
    var exporter: Exporter?
    /// Why nothing listens though it should, since when.
    var exporterTrouble: DeviceRecord.Trouble?
    let exports = ExportInbox()
    /// What is to be offered and taken back, in order.
    let exportQueue = ExportQueue()
    /// What the exporter was last told of each device, by name.
    var offers: [String: ExportOffer] = [:]
    /// N of the bus id 1-N by device name.
    var busNumbers: [String: UInt16] = [:]
    /// Guests that wait to be told what to attach, by name.
    var watchers: [String: Watcher] = [:]
    /// Refusals since the start, and what may be said of them in events.
    var refusals: UInt64 = 0
    var refusalNoise = EventBudget()

    /// In configuration order.
    var devices: [DeviceRecord] = []
    var vms: [LiveVM] = []
    /// When each VM came into its run state, by its id.
    var vmSince: [String: Double] = [:]
    /// Which appearance of each controllable VM this is, by its id: numbers are given out once.
    var appearances: [String: Int] = [:]
    var lastAppearance = 0
    /// What VMs may say in events, by id.
    var vmNoise: [String: EventBudget] = [:]
    var sourceTroubles: [SourceTrouble] = []
    /// Since when each source has been in trouble, by its description.
    var sourceTroubleSince: [String: Double] = [:]
    /// Why the state cannot be written, since when.
    var stateTrouble: DeviceRecord.Trouble?
    var events = EventLog()
    var hub = SubscriberHub()
    var waiters: [Waiter] = []
    var nextWaiter: UInt64 = 0
    let changes = ChangeSignal()
    var revision: UInt64 = 0
    let signals = SignalInbox()
    var tasks: [Task<Void, Never>] = []
    var isShuttingDown = false
    private let shutdownRequests = ChangeSignal()

    public init(configuration: Configuration, settings: EngineSettings, logger: Logger) {
        let controlGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let registry = VMRegistry(
            sources: configuration.vms.map(\.source), eventLoopGroup: controlGroup, logger: logger)
        self.init(
            configuration: configuration, settings: settings, hypervisor: registry, controlGroup: controlGroup,
            logger: logger)
    }

    init(
        configuration: Configuration, settings: EngineSettings, hypervisor: any VMControl,
        controlGroup: MultiThreadedEventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1), logger: Logger
    ) {
        self.configuration = configuration
        self.settings = settings
        self.hypervisor = hypervisor
        self.controlGroup = controlGroup
        self.logger = logger
        group = MultiThreadedEventLoopGroup(numberOfThreads: min(max(2, System.coreCount), 8))
        store = StateStore(file: settings.stateFile)
    }

    // MARK: Commands

    /// Carries out one command; every answer is a sentence an operator can act on.
    public func perform(_ command: Command, actor: String) async -> Outcome {
        guard !isShuttingDown else { return .failed("the engine is shutting down") }
        switch command {
        case .snapshot: return .snapshot(await snapshot())
        case .events(let after, let limit): return .events(events.after(after, limit: limit))
        case .plug(let device, let vm, let via): return await plug(device, into: vm, via: via, actor: actor)
        case .unplug(let device): return await unplug(device, actor: actor)
        case .eject(let device): return await eject(device, actor: actor)
        case .setInterface(let device, let interface, let gate):
            return await setInterface(device, interface, to: gate, actor: actor)
        case .pressButton(let device, let button, let action):
            return await pressButton(button, of: device, action, actor: actor)
        case .resetChip(let device): return await resetChip(device, actor: actor)
        case .type(let device, let interface, let text, let layout):
            return await type(text, layout: layout, on: device, interface, actor: actor)
        case .press(let device, let interface, let keys):
            return await press(keys, on: device, interface, actor: actor)
        case .grant(let device, let interface, let service):
            return await grant(service, to: device, interface, actor: actor)
        case .revoke(let device, let interface, let service):
            return await revoke(service, from: device, interface, actor: actor)
        case .subscribe: return .failed("subscribe belongs to a connection")
        case .shutdown:
            shutdownRequests.input.yield()
            return .done("the engine is shutting down; what is plugged is plugged again by the next engine")
        }
    }

    /// Ends when a client has asked for a shutdown.
    public func waitForShutdownRequest() async {
        for await _ in shutdownRequests.stream { return }
    }

    func index(_ device: String) -> Int? { devices.firstIndex { $0.name == device } }
}

extension VMSourceConfiguration {
    /// What the hypervisor layer looks at.
    var source: VMSource {
        switch self {
        case .qmp(let path, let name):
            .qmp(path: path, name: name ?? String(path.split(separator: "/").last ?? "vm").withoutSuffix(".qmp"))
        case .qmpDirectory(let path): .qmpDirectory(path: path)
        case .qemuProcesses: .qemuProcesses
        case .libvirt(let uri): .libvirt(uri: uri)
        }
    }
}

extension String {
    /// The string less an ending, when it has it and something is left.
    fileprivate func withoutSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) && count > suffix.count ? String(dropLast(suffix.count)) : self
    }
}

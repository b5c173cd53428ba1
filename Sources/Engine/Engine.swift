import ControlProtocol
import Foundation
import Hypervisor
import Logging
import NIOCore
import NIOPosix
import USBCore

/// The single source of truth: the inventory of devices, the live VMs, and who is plugged where.
///
/// Commands come in, events and snapshots go out; nothing slow runs on the actor, it only awaits.
public actor Engine {
    let configuration: Configuration
    let settings: EngineSettings
    let logger: Logger
    let group: MultiThreadedEventLoopGroup
    let registry: VMRegistry
    let store: StateStore
    let startedAt = Date().timeIntervalSince1970

    /// In configuration order.
    var devices: [DeviceRecord] = []
    var vms: [LiveVM] = []
    var sourceTroubles: [SourceTrouble] = []
    /// Since when each source has been in trouble, by its description.
    var sourceTroubleSince: [String: Double] = [:]
    var events = EventLog()
    var hub = SubscriberHub()
    var waiters: [Waiter] = []
    var nextWaiter: UInt64 = 0
    let changes = ChangeSignal()
    var revision: UInt64 = 0
    let signals: AsyncStream<DeviceSignal>
    let signalInput: AsyncStream<DeviceSignal>.Continuation
    private var tasks: [Task<Void, Never>] = []
    private(set) var isShuttingDown = false
    let shutdownRequested: AsyncStream<Void>
    let shutdownInput: AsyncStream<Void>.Continuation

    public init(configuration: Configuration, settings: EngineSettings, logger: Logger) {
        self.configuration = configuration
        self.settings = settings
        self.logger = logger
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(2, System.coreCount))
        registry = VMRegistry(
            sources: configuration.vms.map(\.source), eventLoopGroup: group, logger: logger)
        store = StateStore(file: settings.stateFile)
        // A guest that makes more noise than the engine can hear loses its oldest noise, not the engine's memory.
        (signals, signalInput) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(8192))
        (shutdownRequested, shutdownInput) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes the devices, restores what was plugged, and begins to watch VMs.
    public func start() async throws {
        let state = restoreState()
        for entry in configuration.devices {
            var record = await makeRecord(entry)
            if let saved = state.devices[entry.name] { restore(saved, into: &record) }
            devices.append(record)
        }
        for warning in configuration.warnings {
            publish(.warning, Subject(), actor: "engine", kind: "configuration", warning.description)
        }
        let names = Set(configuration.devices.map(\.name))
        for (name, saved) in state.devices.sorted(by: { $0.key < $1.key })
        where !names.contains(name) && saved.attachment != nil {
            publish(
                .warning, Subject(device: name), actor: "engine", kind: "forgotten",
                "was plugged into \(saved.attachment?.vm ?? "a VM") and is no longer configured; it is not plugged again")
        }
        await registry.start()
        let updates = await registry.updates()
        tasks.append(Task { for await list in updates { self.take(list) } })
        tasks.append(Task { for await signal in self.signals { self.take(signal) } })
        tasks.append(Task { await self.publishLoop() })
        publish(.info, Subject(), actor: "engine", kind: "started", "engine started, pid \(ProcessInfo.processInfo.processIdentifier)")
    }

    /// Unplugs nothing: QEMU sees the wires close, and the state says what to plug again.
    public func shutdown() async {
        guard !isShuttingDown else { return }
        isShuttingDown = true
        saveState()
        for task in tasks { task.cancel() }
        hub.finish()
        for record in devices { await record.host?.shutdown() }
        await registry.shutdown()
        do { try await group.shutdownGracefully() } catch { logger.error("event loops: \(error)") }
    }

    /// Ends when a client has asked for a shutdown.
    public func waitForShutdownRequest() async {
        for await _ in shutdownRequested { return }
    }

    // MARK: Commands

    /// Carries out one command; every answer is a sentence an operator can act on.
    public func perform(_ command: Command, actor: String) async -> Outcome {
        switch command {
        case .snapshot: return .snapshot(await snapshot())
        case .events(let after, let limit): return .events(events.after(after, limit: limit))
        case .plug(let device, let vm, let via): return await plug(device, into: vm, via: via, actor: actor)
        case .unplug(let device): return await unplug(device, actor: actor)
        case .eject(let device): return await eject(device, actor: actor)
        case .setInterface(let device, let interface, let gate):
            return await setInterface(device, interface, to: gate, actor: actor)
        case .subscribe: return .failed("subscribe belongs to a connection")
        case .shutdown:
            shutdownInput.yield()
            return .done("the engine is shutting down; what is plugged is plugged again by the next engine")
        }
    }

    func index(_ device: String) -> Int? { devices.firstIndex { $0.name == device } }
}

/// Where an engine keeps its things.
public struct EngineSettings: Sendable {
    /// Control socket; wires listen in the directory `<socket>.d`.
    public var socket: String
    public var stateFile: String
    public var version: String

    public init(socket: String, stateFile: String, version: String) {
        self.socket = socket
        self.stateFile = stateFile
        self.version = version
    }

    var wireDirectory: String { socket + ".d" }
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

import Foundation
import Logging
import NIOCore
import NIOPosix

/// All live VMs of all sources: what they are, what changes, and the way to plug into them.
public actor VMRegistry {
    private struct Entry {
        var target: VMTarget
        let monitor: VMMonitor
        var state: VMState
        /// Since when the source names it no more.
        var goneSince: ContinuousClock.Instant?
        /// Stopped, because another entry is the same process.
        var isStandby = false
    }

    private let scanner: SourceScanner
    private let group: any EventLoopGroup
    private let limits: QMPLimits
    private let timing: VMTiming
    private let logger: Logger
    private var entries: [String: Entry] = [:]
    private var order: [String] = []
    private var troubles: [SourceTrouble] = []
    private var last = VMList()
    private var subscribers: [Int: AsyncStream<VMList>.Continuation] = [:]
    private var nextSubscriber = 0
    private var tasks: [Task<Void, Never>] = []
    private let changes: AsyncStream<VMState>
    private let changed: AsyncStream<VMState>.Continuation

    /// - Parameter eventLoopGroup: best one that serves no devices: a hostile QEMU may send 4 MiB lines to parse.
    public init(
        sources: [VMSource], eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger, limits: QMPLimits = QMPLimits(), timing: VMTiming = VMTiming()
    ) {
        scanner = SourceScanner(sources: sources)
        group = eventLoopGroup
        self.logger = logger
        self.limits = limits
        self.timing = timing
        (changes, changed) = AsyncStream.makeStream(of: VMState.self)
    }

    /// Starts to scan the sources and to watch the VMs.
    public func start() {
        guard tasks.isEmpty else { return }
        tasks = [Task { await scanLoop() }, Task { await collect() }]
    }

    /// Stops watching for good; VMs and what is plugged into them stay as they are.
    public func shutdown() async {
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        for entry in entries.values { await entry.monitor.stop() }
        entries = [:]
        order = []
        for subscriber in subscribers.values { subscriber.finish() }
        subscribers = [:]
    }

    /// The list now.
    public var list: VMList { last }

    /// The list now and at each change; a slow reader gets only the newest.
    public func updates() -> AsyncStream<VMList> {
        let (stream, continuation) = AsyncStream.makeStream(of: VMList.self, bufferingPolicy: .bufferingNewest(1))
        let number = nextSubscriber
        nextSubscriber += 1
        subscribers[number] = continuation
        continuation.onTermination = { _ in Task { await self.unsubscribe(number) } }
        continuation.yield(last)
        return stream
    }

    private func unsubscribe(_ number: Int) { subscribers[number] = nil }

    /// Finds a VM by name or id.
    public func vm(_ nameOrID: String) -> VMState? {
        last.vms.first { $0.name == nameOrID } ?? last.vms.first { $0.id == nameOrID }
    }

    // MARK: Commands

    /// Plugs a device into a VM, by its name or id.
    ///
    /// - Parameter prepare: called once the port, and with it the speed, is chosen, and before QEMU connects.
    public func plug(
        vm: String, _ request: PlugRequest,
        prepare: @escaping @Sendable (PortChoice) async throws -> Void = { _ in }
    ) async throws(PlugError) -> PluggedPort {
        try await monitor(vm).plug(request, prepare: prepare)
    }

    /// Unplugs and returns when QEMU has deleted the device; one that is gone already is no error.
    public func unplug(_ port: PluggedPort) async throws(PlugError) {
        try await monitor(port.vm).unplug(port.qdevID)
    }

    /// What an engine that died has left in a VM.
    public func leftovers(vm: String, prefix: String = QdevID.prefix) async throws(PlugError) -> [Leftover] {
        try await monitor(vm).leftovers(prefix: prefix)
    }

    /// Removes what an engine that died has left in a VM, and returns it.
    public func cleanLeftovers(
        vm: String, prefix: String = QdevID.prefix, keeping: Set<String> = []
    ) async throws(PlugError) -> [Leftover] {
        try await monitor(vm).cleanLeftovers(prefix: prefix, keeping: keeping)
    }

    private func monitor(_ nameOrID: String) throws(PlugError) -> VMMonitor {
        guard let id = vm(nameOrID)?.id, let entry = entries[id] else { throw .unknownVM(nameOrID) }
        return entry.monitor
    }

    // MARK: Watching

    private func collect() async {
        for await state in changes {
            guard entries[state.id] != nil else { continue }
            entries[state.id]?.state = state
            publish()
        }
    }

    private func scanLoop() async {
        var processes: [QEMUProcess] = []
        var count = 0
        while !Task.isCancelled {
            let readProcesses = scanner.wantsProcesses && count.isMultiple(of: 2)
            count += 1
            let (scanner, known) = (scanner, processes)
            do {
                // Files may be slow: not on the actor's thread.
                let (found, targets, troubles) = try await NIOThreadPool.singleton.runIfActive {
                    let found = readProcesses ? QEMUProcess.all() : known
                    let result = scanner.scan(processes: found)
                    return (found, result.targets, result.troubles)
                }
                processes = found
                if Task.isCancelled { return }
                self.troubles = troubles
                await reconcile(targets)
                publish()
            } catch {
                if Task.isCancelled { return }
                logger.error("VM sources could not be scanned: \(error)")
            }
            // Fails only when cancelled, which the loop looks at.
            try? await Task.sleep(for: timing.scan)
        }
    }

    private func reconcile(_ targets: [VMTarget]) async {
        let names = Set(targets.map(\.name))
        let ids = Set(targets.map(\.id))
        for target in targets {
            if let known = entries[target.id] {
                entries[target.id]?.goneSince = nil
                if known.target != target {
                    entries[target.id]?.target = target
                    await known.monitor.update(target)
                }
            } else {
                await add(target)
            }
        }
        for (id, entry) in entries where !ids.contains(id) {
            let since = entry.goneSince ?? .now
            entries[id]?.goneSince = since
            // A connection outlives its socket's name.
            let isReplaced = entry.target.sockets.isEmpty && names.contains(entry.target.name)
            let isOver = ContinuousClock.now - since > timing.linger || isReplaced
            if isOver, !entry.state.isControllable {
                entries[id] = nil
                await entry.monitor.stop()
            }
        }
        order = targets.map(\.id) + order.filter { !ids.contains($0) && entries[$0] != nil }
        await settleDuplicates()
    }

    private func add(_ target: VMTarget) async {
        let monitor = VMMonitor(
            target: target, group: group, limits: limits, timing: timing, logger: logger, changes: changed)
        let state = VMState(id: target.id, name: target.name, source: target.source, runState: .starting)
        entries[target.id] = Entry(target: target, monitor: monitor, state: state)
        order.append(target.id)
        await monitor.start()
    }

    /// Two entries with one process are one VM: the later one lets go of its socket, and returns when the first is gone.
    private func settleDuplicates() async {
        let hidden = duplicates()
        for (id, entry) in entries where hidden.contains(id) != entry.isStandby {
            entries[id]?.isStandby.toggle()
            if entry.isStandby { await entry.monitor.start() } else { await entry.monitor.stop() }
        }
    }

    /// Ids of entries whose process another one shows already; one that can be controlled comes before one that cannot.
    private func duplicates() -> Set<String> {
        let known = order.compactMap { entries[$0] }
        let ranked =
            known.filter { $0.state.isControllable && !$0.isStandby }
            + known.filter { !$0.state.isControllable && !$0.isStandby } + known.filter(\.isStandby)
        var owners: [Int32: String] = [:]
        var hidden: Set<String> = []
        for entry in ranked {
            guard let pid = entry.state.pid else { continue }
            if owners[pid] == nil { owners[pid] = entry.target.id } else { hidden.insert(entry.target.id) }
        }
        return hidden
    }

    private func publish() {
        let hidden = duplicates()
        var list = VMList(troubles: troubles)
        var used: Set<String> = []
        for id in order where !hidden.contains(id) {
            guard var state = entries[id]?.state else { continue }
            state.name = Self.unique(entries[id]?.target.name ?? state.name, &used)
            list.vms.append(state)
        }
        guard list != last else { return }
        last = list
        for subscriber in subscribers.values { subscriber.yield(list) }
    }

    /// The name, or with `~2` and so on when another VM has it.
    private static func unique(_ name: String, _ used: inout Set<String>) -> String {
        var candidate = name
        var number = 2
        while !used.insert(candidate).inserted {
            candidate = "\(name)~\(number)"
            number += 1
        }
        return candidate
    }
}

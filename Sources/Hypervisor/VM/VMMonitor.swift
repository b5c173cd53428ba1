import Foundation
import Logging
import NIOCore

/// Watches one VM: connects to its QMP socket again and again, follows its events, and sends it commands.
actor VMMonitor {
    nonisolated let id: String
    let timing: VMTiming
    let logger: Logger
    private(set) var target: VMTarget
    var state: VMState
    /// Ready for commands: negotiated and identified.
    private(set) var client: QMPClient?
    /// Open, whether ready or not.
    private var connection: QMPClient?
    /// A connection is being made, and nothing is known against it yet.
    private(set) var isConnecting = false
    private var awaiting: [CheckedContinuation<Void, Never>] = []
    private var runner: Task<Void, Never>?
    private var published: VMState?
    private var meter = CPUMeter()
    private var lastUSB: String?
    private var gate = FIFOGate()
    private let group: any EventLoopGroup
    private let limits: QMPLimits
    private let changes: AsyncStream<VMState>.Continuation

    init(
        target: VMTarget, group: any EventLoopGroup, limits: QMPLimits, timing: VMTiming, logger: Logger,
        changes: AsyncStream<VMState>.Continuation
    ) {
        id = target.id
        self.target = target
        self.group = group
        self.limits = limits
        self.timing = timing
        self.changes = changes
        var logger = logger
        logger[metadataKey: "vm"] = .string(target.name)
        self.logger = logger
        state = VMState(id: target.id, name: target.name, source: target.source, runState: .starting)
    }

    func start() {
        guard runner == nil else { return }
        isConnecting = !target.sockets.isEmpty
        runner = Task { await run() }
    }

    func stop() async {
        runner?.cancel()
        await connection?.close()
        await runner?.value
        runner = nil
        connectionDecided()
    }

    /// The source names the same VM with other sockets or another process.
    func update(_ target: VMTarget) {
        self.target.sockets = target.sockets
        self.target.process = target.process
    }

    func publish() {
        guard state != published else { return }
        published = state
        changes.yield(state)
    }

    /// One plug or unplug at a time: two at once would choose the same port.
    func exclusively<Value: Sendable>(
        _ body: () async throws(PlugError) -> Value
    ) async throws(PlugError) -> Value {
        if !gate.tryEnter() {
            await withCheckedContinuation { gate.enqueue($0) }
        }
        defer { gate.leave() }
        return try await body()
    }

    // MARK: The connection

    private func run() async {
        var pause = timing.reconnect.lowerBound
        var attempts = 0
        while !Task.isCancelled {
            if target.sockets.isEmpty {
                watchProcess()
                pause = timing.sample
            } else {
                let socket = target.sockets[attempts % target.sockets.count]
                attempts += 1
                let wasReady = await attempt(socket)
                pause = wasReady ? timing.reconnect.lowerBound : min(pause * 2, timing.reconnect.upperBound)
            }
            // Fails only when cancelled, which the loop looks at.
            try? await Task.sleep(for: pause)
        }
    }

    /// Connects and stays until the connection ends; true when it was ready in between.
    private func attempt(_ socket: String) async -> Bool {
        var wasReady = false
        isConnecting = true
        defer { connectionDecided() }
        do throws(QMPError) {
            let opened = try await QMPClient.open(socketPath: socket, group: group, limits: limits)
            connection = opened
            do throws(QMPError) {
                if !Task.isCancelled {
                    try await prepare(opened)
                    wasReady = true
                    await follow(opened)
                }
            } catch {
                failed(error)
            }
            connectionDecided()
            client = nil
            connection = nil
            await opened.close()
        } catch {
            failed(error)
        }
        return wasReady
    }

    private func prepare(_ opened: QMPClient) async throws(QMPError) {
        let peer = await opened.peerProcess()
        if let peer, QEMUProcess.isQEMU(pid: peer) { state.pid = peer }
        let greeting = try await greeting(opened)
        _ = try await opened.execute("qmp_capabilities")
        state.qemuVersion = printable(greeting.version)
        try await identify(opened, peer: peer)
        client = opened
        state.lastEvent = "connected"
        publish()
        connectionDecided()
    }

    /// Whoever wants to command the VM while a connection is being made waits for what comes of it.
    func awaitConnection() async {
        guard isConnecting, client == nil else { return }
        await withCheckedContinuation { awaiting.append($0) }
    }

    private func connectionDecided() {
        isConnecting = false
        for waiter in awaiting { waiter.resume() }
        awaiting = []
    }

    /// Waits as long as it takes: QEMU greets the next client when the one before leaves.
    private func greeting(_ opened: QMPClient) async throws(QMPError) -> QMPGreeting {
        while true {
            do throws(QMPError) {
                return try await opened.greeting(within: timing.greeting)
            } catch {
                guard case .noGreeting = error, !Task.isCancelled else { throw error }
                sample()
                state.runState = .unreachable(reason: silence(error))
                publish()
                connectionDecided()
                // With another socket to try, this one is not waited for.
                if target.sockets.count > 1 { throw error }
            }
        }
    }

    private func silence(_ error: QMPError) -> String {
        if let pid = state.pid, ProcessStatus.read(pid: pid)?.state == "T" {
            return stopped(pid)
        }
        guard case .noGreeting(let socket, _) = error, state.pid != nil else { return error.description }
        return QMPError.busy(socket: socket).description
    }

    /// Events and readings until the connection ends.
    private func follow(_ opened: QMPClient) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.consume(opened) }
            tasks.addTask { await self.tick(opened) }
            await tasks.next()
            tasks.cancelAll()
        }
        guard !Task.isCancelled else { return }
        if let reason = await opened.endReason() { failed(reason) }
    }

    /// The connection cannot be made or has ended.
    private func failed(_ error: QMPError) {
        guard !Task.isCancelled else { return }
        logger.debug("QMP: \(error)")
        let wasThere = state.isControllable || state.runState == .starting && client != nil
        switch (error, state.runState) {
        case (.connectFailed, .shutdown), (.connectFailed, .lost), (.closed, .shutdown), (.closed, .lost): break
        case (.closed, _) where wasThere || client != nil:
            state.runState = .lost(reason: "QEMU ended or closed \(socketName(error))", since: Date())
            state.lastEvent = "lost"
        default: state.runState = .unreachable(reason: error.description)
        }
        forgetProcess()
        publish()
    }

    private func socketName(_ error: QMPError) -> String {
        if case .closed(let socket, _) = error { socket } else { "its QMP socket" }
    }

    private func forgetProcess() {
        state.pid = nil
        state.cpuPercent = nil
        state.startedAt = nil
        state.controllers = []
        state.guestAgentSocket = nil
        meter = CPUMeter()
        lastUSB = nil
    }

    // MARK: Regular readings

    private func tick(_ opened: QMPClient) async {
        var count = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: timing.sample)
            if Task.isCancelled { return }
            sample()
            publish()
            count += 1
            if count.isMultiple(of: 2) { await keepalive(opened) }
            if count.isMultiple(of: 4) { await watchUSB(opened) }
        }
    }

    /// CPU use and start time, by /proc.
    private func sample() {
        guard let pid = state.pid, let status = ProcessStatus.read(pid: pid) else { return }
        state.cpuPercent = meter.percent(status) ?? state.cpuPercent
        if state.startedAt == nil { state.startedAt = status.startedAt }
    }

    /// A QEMU that lives and does not answer gives no event: it must be asked.
    private func keepalive(_ opened: QMPClient) async {
        do throws(QMPError) {
            let status = try await opened.execute("query-status", timeout: timing.keepalive)
            apply(status)
        } catch {
            switch error {
            case .timeout, .tooManyOutstanding:
                var reason = "QEMU does not answer: \(error)"
                if let pid = state.pid, ProcessStatus.read(pid: pid)?.state == "T" { reason = stopped(pid) }
                state.runState = .unreachable(reason: reason)
            default: logger.debug("keepalive: \(error)")
            }
        }
        publish()
    }

    private func stopped(_ pid: Int32) -> String {
        "QEMU process \(pid) is stopped by a signal; continue it with kill -CONT \(pid)"
    }

    /// QMP tells of no plug by others: compare the short listing, and look closely only when it changed.
    private func watchUSB(_ opened: QMPClient) async {
        do throws(QMPError) {
            let text = try await opened.humanMonitor("info usb")
            if let lastUSB, lastUSB != text { try await refreshControllers(opened) }
            lastUSB = text
        } catch {
            logger.debug("info usb: \(error)")
        }
    }

    func refreshControllers(_ opened: QMPClient) async throws(QMPError) {
        state.controllers = try await ControllerDiscovery(client: opened).controllers()
        publish()
    }

    func apply(_ status: JSONValue) {
        guard let text = status["status"]?.string else { return }
        let fresh = VMRunState(status: text)
        // The SHUTDOWN event knows the reason better.
        if case .shutdown = fresh, case .shutdown = state.runState { return }
        state.runState = fresh
    }

    /// A VM without a QMP socket: all that is known of it is in /proc.
    private func watchProcess() {
        guard let process = target.process else { return }
        guard let status = ProcessStatus.read(pid: process.pid), status.startTicks == process.startTicks else {
            if case .lost = state.runState { return }
            state.runState = .lost(reason: "QEMU process \(process.pid) ended", since: Date())
            forgetProcess()
            return publish()
        }
        state.pid = process.pid
        state.accelerator = process.commandLine.accelerators.first
        state.runState = .unreachable(reason: process.trouble ?? "it has no QMP socket")
        sample()
        publish()
    }
}

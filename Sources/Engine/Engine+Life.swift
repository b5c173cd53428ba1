import ControlProtocol
import Foundation
import NIOPosix

extension Engine {
    /// Makes the devices, restores what was plugged, and begins to watch VMs.
    public func start() async throws {
        let state = restoreState()
        giveBusNumbers(state.busNumbers ?? [:])
        for var record in await makeRecords() {
            record.busNumber = busNumbers[record.name] ?? 0
            if let saved = state.devices[record.name] { await restore(saved, into: &record) }
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
                "was plugged into \(saved.attachment?.vm ?? "a VM") and is no longer configured; it is not plugged again"
            )
        }
        await startExporter()
        await hypervisor.start()
        let updates = await hypervisor.updates()
        tasks.append(Task { for await list in updates { self.take(list) } })
        tasks.append(Task { await self.listenToDevices() })
        tasks.append(Task { await self.publishLoop() })
        publish(
            .info, Subject(), actor: "engine", kind: "started",
            "engine started, pid \(ProcessInfo.processInfo.processIdentifier)")
    }

    /// Unplugs nothing: QEMU sees the wires close, and the state says what to plug again.
    public func shutdown() async {
        guard !isShuttingDown else { return }
        await saveState()
        isShuttingDown = true
        for task in tasks { task.cancel() }
        hub.finish()
        for waiter in waiters { waiter.continuation.resume(returning: false) }
        waiters = []
        exportQueue.finish()
        await exporter?.stop()
        await shutDownDevices()
        await hypervisor.shutdown()
        // Left only when it is empty, and made again by the next plug.
        rmdir(settings.wireDirectory)
        await stop(group)
    }

    private func shutDownDevices() async {
        let hosts = devices.compactMap(\.host)
        let late = await withTaskGroup(of: String?.self) { group in
            for host in hosts { group.addTask { await host.shutdown() ? nil : host.name } }
            return await group.reduce(into: [String]()) { if let name = $1 { $0.append(name) } }
        }
        for name in late.sorted() {
            logger.error("device \(name): not everything its guest gave it arrived in time; see its backends")
        }
    }

    /// Serves clients on the control socket until `end` returns or the socket fails, then shuts down either way.
    public func serve(_ server: ControlServer, until end: @escaping @Sendable () async -> Void) async throws {
        let outcome = await withTaskGroup(of: Result<Void, any Error>.self) { group in
            group.addTask {
                do { return .success(try await server.run()) } catch { return .failure(error) }
            }
            group.addTask { await .success(end()) }
            let first = await group.next() ?? .success(())
            await server.close()
            await shutdown()
            group.cancelAll()
            return first
        }
        await stopControlLoop()
        try outcome.get()
    }

    /// The last thing: whoever closes a channel when its loop has ended waits for ever.
    func stopControlLoop() async { await stop(controlGroup) }

    private func stop(_ group: MultiThreadedEventLoopGroup) async {
        do { try await group.shutdownGracefully() } catch { logger.error("event loops: \(error)") }
    }

    /// Hears devices in batches: a guest that floods us is heard twenty times a second.
    private func listenToDevices() async {
        for await _ in signals.wake.stream {
            let batch = signals.drain()
            for signal in batch { take(signal) }
            if batch.count >= SignalInbox.limit {
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
            }
        }
    }

    static func currentHostName() -> String {
        // Foundation's asks the resolver, which may take seconds.
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
